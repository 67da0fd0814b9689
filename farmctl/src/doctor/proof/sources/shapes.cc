// Virtual functions, run-time types, a guarded static and thread-local data.
#include <typeinfo>

struct Shape {
    virtual ~Shape() {}
    virtual double area() const = 0;
};

struct Circle : Shape {
    explicit Circle(double radius) : radius(radius) {}
    double area() const override { return 3.14159265358979323846 * radius * radius; }
    double radius;
};

struct Square : virtual Shape {
    explicit Square(double side) : side(side) {}
    double area() const override { return side * side; }
    double side;
};

static thread_local unsigned asked;

bool is_round(const Shape &shape)
{
    ++asked;
    return typeid(shape) == typeid(Circle) || dynamic_cast<const Circle *>(&shape) != nullptr;
}

const Shape &unit()
{
    static const Square square(1);
    return square;
}

unsigned questions()
{
    return asked;
}
