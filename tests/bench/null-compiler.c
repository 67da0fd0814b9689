/* A compiler that takes no time: it writes a fixed x86-64 object to the path behind -o, whatever the source says.
   -fnull=fail makes it print a line and fail. Neither a C library nor a loader: what is measured is the daemon. */

static const unsigned char object[64] = {
    0x7f, 'E', 'L', 'F', 2, 1, 1,           /* 64 bits, least significant byte first */
    [16] = 1, [18] = 62, [20] = 1,          /* relocatable, x86-64, version 1 */
    [52] = 64, [58] = 64,                   /* sizes of this header and of a section's, of which there is none */
};

static long call(long number, long first, long second, long third)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
    return result;
}

enum { WRITE = 1, OPEN = 2, EXIT_GROUP = 231 };
enum { CREATE_TO_WRITE = 01 | 0100 | 01000 };

static int same(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return *one == *other;
}

static void end(int code)
{
    call(EXIT_GROUP, code, 0, 0);
    __builtin_unreachable();
}

__attribute__((used)) void begin(long *stack)
{
    long count = stack[0];
    const char **words = (const char **)(stack + 1);
    const char *output = 0;
    for (long index = 1; index < count; index++) {
        static const char complaint[] = "null: error: as told\n";
        if (same(words[index], "-fnull=fail")) {
            call(WRITE, 2, (long)complaint, sizeof complaint - 1);
            end(1);
        }
        if (same(words[index], "-o") && index + 1 < count)
            output = words[index + 1];
    }
    if (!output)
        end(2);
    long file = call(OPEN, (long)output, CREATE_TO_WRITE, 0666);
    if (file < 0 || call(WRITE, file, (long)object, sizeof object) != sizeof object)
        end(3);
    end(0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
