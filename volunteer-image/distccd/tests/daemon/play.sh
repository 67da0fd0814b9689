#!/bin/sh
# A compiler that behaves as the option -fplay=... says; without one it makes an object at once.

# Asked what it is, it tells the version of its name.
if [ "$*" = -v ]; then
    case $0 in *-12) version=12.2.0 ;; *) version=14.1.0 ;; esac
    printf 'Target: x86_64-linux-gnu\ngcc version %s (Play)\n' "$version" >&2
    exit 0
fi

play=object
output=
previous=
for word in "$@"; do
    case $word in
        -fplay=*) play=${word#-fplay=} ;;
    esac
    [ "$previous" = -o ] && output=$word
    previous=$word
done

# The header of an ELF object for machine $1, given as an octal escape.
make_object() {
    printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\001\000'"$1"'\000\001\000\000\000' > "$output"
    printf '%040d' 0 | tr 0 '\000' >> "$output"
}

x86_64='\076'
aarch64='\267'

case $play in
    object) make_object "$x86_64" ;;
    words) make_object "$x86_64"; printf '%s\n' "$@"; env >&2 ;;
    source) make_object "$x86_64"; cat "$previous" ;;
    wrong-machine) make_object "$aarch64" ;;
    no-object) ;;
    empty-object) : > "$output" ;;
    fail) make_object "$x86_64"; echo 'play.c:1: error: as told' >&2; exit 1 ;;
    crash) kill -SEGV $$ ;;
    killed) kill -KILL $$ ;;
    flood) yes flood | head -c 3000000 >&2; make_object "$x86_64" ;;
    hang) sleep 1000 & echo "$$ $!" > pids.new; mv pids.new pids; wait ;;
    wait) echo "$$" > pids.new; mv pids.new pids; until [ -e go ] || [ -e stop ]; do sleep 0.01; done; [ -e go ] || exit 1; make_object "$x86_64" ;;
    orphan)
        setsid sh -c ': > detached; exec sleep 1000' > /dev/null 2>&1 &
        until [ -e detached ]; do sleep 0.01; done
        make_object "$x86_64"
        ;;
    reach)
        make_object "$x86_64"
        cat /etc/passwd > /dev/null && echo 'read /etc/passwd'
        cat /proc/self/environ > /dev/null && echo 'read its environment'
        cat ../neighbour/secret > /dev/null && echo 'read the directory of another job'
        (: > ../neighbour/made) && echo 'wrote to the directory of another job'
        (: > ../made) && echo 'wrote outside its directory'
        cp /bin/sh ./program && ./program -c 'echo ran a program from its directory'
        (: > made) && rm made && mkdir sub && rmdir sub && echo 'wrote to its directory'
        ;;
    door)
        make_object "$x86_64"
        ls ../../door > /dev/null && echo 'looked at the door'
        (: > ../../door/made) && echo 'wrote beside the door'
        ;;
    descriptors) ls -l /proc/self/fd; make_object "$x86_64" ;;
    huge) printf x | dd of=huge bs=1 seek=300000000 2> /dev/null || exit 3; make_object "$x86_64" ;;
    *) echo "no such play: $play" >&2; exit 99 ;;
esac
