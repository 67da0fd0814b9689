//! The keys of `farm.yaml`.

use crate::farm::{EngineKind, ImageSource, Network, Restart, Slots, Stats, Suite};

use super::{Group, Key, Names, Otherwise, Shape};

/// Everything that a manifest may hold, from the outside in.
pub(super) static MANIFEST: [&Group; 7] =
    [&FARM, &HOST, &TLS, &TARGET, &HOST_TARGET, &IMAGE, &ARCHIVE];

pub(in crate::manifest) static FARM: Group = Group {
    name: "farm",
    place: "the top of the manifest",
    meaning: "A farm: who may send jobs, which hosts lend their cores, which targets they compile for. Every key is \
              optional. The settings of volunteers that stand here hold for all of them, unless a target, a host or a \
              host's own entry for a target says otherwise.",
    parts: &[FARM_KEYS, VOLUNTEER_KEYS],
};

pub(in crate::manifest) static HOST: Group = Group {
    name: "host",
    place: "hosts: NAME:",
    meaning: "A machine with a Docker engine. Its settings go before those of the targets and of the farm.",
    parts: &[HOST_KEYS, VOLUNTEER_KEYS],
};

pub(in crate::manifest) static TLS: Group = Group {
    name: "tls",
    place: "tls:",
    meaning: "What a TLS engine and its user prove themselves with, each a file in PEM format.",
    parts: &[TLS_KEYS],
};

pub(in crate::manifest) static TARGET: Group = Group {
    name: "target",
    place: "targets: NAME:",
    meaning: "An architecture to compile for. Its settings go before those of the farm.",
    parts: &[TARGET_KEYS, TOOLCHAIN_KEYS, VOLUNTEER_KEYS],
};

pub(in crate::manifest) static HOST_TARGET: Group = Group {
    name: "host-target",
    place: "hosts: NAME: targets: NAME:",
    meaning: "One target on one host. Nothing goes before what stands here.",
    parts: &[TOOLCHAIN_KEYS, VOLUNTEER_KEYS],
};

pub(in crate::manifest) static IMAGE: Group = Group {
    name: "image",
    place: "image:",
    meaning: "An image that is pulled instead of assembled.",
    parts: &[&[Key {
        name: "pull",
        shape: Shape::Text("^[A-Za-z0-9][A-Za-z0-9._:@-]*(/[A-Za-z0-9._:@-]+)*$"),
        otherwise: Otherwise::Required,
        example: "registry.lan/farmctl/armv7h",
        meaning: "The image's reference as `docker pull` takes it. Without a tag or digest, `latest` is \
                  meant.",
    }]],
};

pub(in crate::manifest) static ARCHIVE: Group = Group {
    name: "toolchain",
    place: "toolchain:",
    meaning: "One archive of a whole toolchain that runs on hosts of one architecture, such as Arch Linux ARM's x-tools or \
              what crosstool-NG makes. It adds its version of GCC to the target's, or takes that one's place, and is \
              the default then.",
    parts: &[ARCHIVE_KEYS],
};

/// A file or folder of this machine.
const FILE: Shape = Shape::Text(r"^[^~\x00-\x1f][^\x00-\x1f]*$");
/// Names of farms and hosts.
const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,39}$";
const TARGET_NAME: Shape = Shape::Text("^[A-Za-z0-9_.-]+$");
const ADDRESS: Shape =
    Shape::Text(r"^(auto|[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[?[0-9A-Fa-f:.]+\]?)$");
const GCC_MAJOR: Shape = Shape::Whole {
    least: 1,
    most: 999,
};

static FARM_KEYS: &[Key] = &[
    Key {
        name: "farm",
        shape: Shape::Text(NAME),
        otherwise: Otherwise::Default("farm"),
        example: "attic",
        meaning: "The farm's name. It is part of the names of its containers and sets this farm apart from others on \
                  the same engine.",
    },
    Key {
        name: "allow",
        shape: Shape::Set(&Shape::Text(
            "^(private|local|any|[0-9A-Fa-f.:]+(/[0-9]{1,3})?)$",
        )),
        otherwise: Otherwise::Default("[private]"),
        example: "[private, 203.0.113.7, 2001:db8:7::/48]",
        meaning: "Who may send jobs: `private` (private and link-local networks), `local` (the host itself), \
                  addresses and address ranges. Ranges that hold much of the internet (together more than a /16 of \
                  public IPv4 or a /32 of public IPv6) are refused; `any` opens the farm to everybody, and `farmctl \
                  up` warns each time.",
    },
    Key {
        name: "address",
        shape: ADDRESS,
        otherwise: Otherwise::Default("auto"),
        example: "10.30.5.9",
        meaning: "What masters dial: an address or a name. `auto` is the machine's address on its default route.",
    },
    Key {
        name: "mirror",
        shape: Shape::Text(r"^http://[^/?#\s][^?#\s]*$"),
        otherwise: Otherwise::Unset,
        example: "http://mirror.lan/debian",
        meaning: "The Debian mirror that packages come from. Without it FARMCTL_MIRROR says it, else the machine's \
                  own apt sources, else Debian's default. It is the whole farm's: images are assembled once, where \
                  farmctl runs. Packages are checked by the archive's signature, so `http` is enough.",
    },
    Key {
        name: "toolchains",
        shape: Shape::Text("."),
        otherwise: Otherwise::Unset,
        example: "my-toolchains",
        meaning: "A directory with files that describe more targets, or other ones in place of built-in ones; the \
                  path starts at the manifest's own directory. `toolchains` beside the manifest is read if it is there.",
    },
    Key {
        name: "hosts",
        shape: Shape::Named(Names::Matching(NAME), &Shape::Keys(&HOST)),
        otherwise: Otherwise::Unset,
        example: "{ ryzen: { address: 10.30.5.9, jobs: 20 } }",
        meaning: "The machines that lend their cores. Without it, this machine alone.",
    },
    Key {
        name: "targets",
        shape: Shape::Named(Names::Targets, &Shape::Keys(&TARGET)),
        otherwise: Otherwise::Unset,
        example: "{ armv7h: { gcc: 14 }, aarch64: {} }",
        meaning: "What to compile for. Without it, every target whose file does not say `only_if_named`.",
    },
];

static HOST_KEYS: &[Key] = &[
    Key {
        name: "docker",
        shape: Shape::Text(r"^(local|context:[A-Za-z0-9][A-Za-z0-9._+-]*|(unix|ssh|tcp)://\S+)$"),
        otherwise: Otherwise::Default("local"),
        example: "ssh://me@nas",
        meaning: "The host's engine: `local` is the one that this user's docker command talks to; `ssh://user@host` and \
                  `tcp://host:2376` are other machines', `unix:///path` is a socket of this one, `context:NAME` one of \
                  docker's contexts.",
    },
    Key {
        name: "tls",
        shape: Shape::OneOf(&[FILE, Shape::Keys(&TLS)]),
        otherwise: Otherwise::Unset,
        example: "certificates/nas",
        meaning: "What proves both sides of a `tcp://` engine: a folder with `ca.pem`, `cert.pem` and `key.pem` as \
                  docker's own command has it, or each file by itself. Paths start at the manifest's own directory. \
                  Without it `tcp://` is refused: an engine that is open to the network makes everybody root.",
    },
    Key {
        name: "engine",
        shape: Shape::Words(EngineKind::WORDS),
        otherwise: Otherwise::Default("containers"),
        example: "swarm",
        meaning: "What the engine runs: `containers` of its own, or services of the `swarm` whose manager it is. Then the \
                  host stands for every node of the swarm, and masters dial each by its own address.",
    },
    Key {
        name: "registry",
        shape: Shape::Text(
            r"^([A-Za-z0-9][A-Za-z0-9-]*[.:][A-Za-z0-9.:-]*|localhost(:[0-9]+)?)(/[a-z0-9._-]+)*$",
        ),
        otherwise: Otherwise::Unset,
        example: "registry.lan:5000/farmctl",
        meaning: "Where a swarm's images are pushed to and pulled from by its nodes: a registry and a path in it, with the \
                  credentials of docker's own configuration. A swarm needs it.",
    },
    Key {
        name: "placement",
        shape: Shape::Set(&Shape::Text(
            r"^ *(node[.](id|hostname|ip|role|platform[.]os|platform[.]arch|labels[.][^\s=!]+)|engine[.]labels[.][^\s=!]+) *(==|!=) *[^\s=!][^\t=!]*$",
        )),
        otherwise: Otherwise::Unset,
        example: "node.labels.farm==yes",
        meaning: "Which nodes of a swarm may work, in docker's words for placement; all of several must hold. Nodes of \
                  other architectures than the manager's never do.",
    },
    Key {
        name: "address",
        shape: ADDRESS,
        otherwise: Otherwise::Unset,
        example: "10.30.5.9",
        meaning: "What masters dial to reach this host; without it, what the farm's `address` says. `auto` is the \
                  machine's address on its default route, and for an engine of another machine the name or address by \
                  which it is reached.",
    },
    Key {
        name: "targets",
        shape: Shape::OneOf(&[
            Shape::Set(&TARGET_NAME),
            Shape::Named(Names::Targets, &Shape::Keys(&HOST_TARGET)),
        ]),
        otherwise: Otherwise::Unset,
        example: "{ aarch64: {}, armv7h: { jobs: 4 } }",
        meaning: "Which of the farm's targets this host compiles for: a list of names, or a group with settings for \
                  each. Without it, all of them.",
    },
];

static TLS_KEYS: &[Key] = &[
    Key {
        name: "ca",
        shape: FILE,
        otherwise: Otherwise::Required,
        example: "certificates/ca.pem",
        meaning: "Certificates of those who may vouch for the engine; nobody else counts.",
    },
    Key {
        name: "cert",
        shape: FILE,
        otherwise: Otherwise::Required,
        example: "certificates/me.pem",
        meaning: "The user's own certificate.",
    },
    Key {
        name: "key",
        shape: FILE,
        otherwise: Otherwise::Required,
        example: "certificates/me.key",
        meaning: "Its private key.",
    },
];

static TARGET_KEYS: &[Key] = &[Key {
    name: "port",
    shape: Shape::Whole {
        least: 1,
        most: 65535,
    },
    otherwise: Otherwise::Unset,
    example: "4000",
    meaning: "The port that masters of this target dial, on every host. Without it, the one of the target's file.",
}];

static TOOLCHAIN_KEYS: &[Key] = &[Key {
    name: "toolchain",
    shape: Shape::OneOf(&[Shape::Words(&["packages"]), Shape::Keys(&ARCHIVE)]),
    otherwise: Otherwise::Default("packages"),
    example: "{ url: 'http://mirror.lan/x-tools.tar.xz', sha256: \
              e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, directory: \
              x-tools/aarch64-unknown-linux-gnu, gcc: 15 }",
    meaning: "Where compilers come from: `packages` of the Debian archive, or one archive of a toolchain.",
}];

static VOLUNTEER_KEYS: &[Key] = &[
    Key {
        name: "jobs",
        shape: Shape::Whole {
            least: 1,
            most: Slots::MOST as u64,
        },
        otherwise: Otherwise::Unset,
        example: "20",
        meaning: "Jobs that a volunteer runs at once. Without it, the number of the engine's processors decides. \
                  Where both a host and a target say it, the lower number holds.",
    },
    Key {
        name: "cpus",
        shape: Shape::OneOf(&[Shape::Number, Shape::Text("^[0-9]+([.][0-9]{1,2})?$")]),
        otherwise: Otherwise::Unset,
        example: "2.5",
        meaning: "Upper limit of a volunteer's processor time, in processors. Without it there is no limit of its \
                  own. Where both a host and a target say it, the lower number holds.",
    },
    Key {
        name: "memory",
        shape: Shape::OneOf(&[
            Shape::Whole {
                least: 256 << 20,
                most: u64::MAX,
            },
            Shape::Text("^[0-9]+ *([KkMmGgTt]([Ii]?[Bb])?|[Bb])?$"),
        ]),
        otherwise: Otherwise::Unset,
        example: "16GiB",
        meaning: "Upper limit of a volunteer's memory, scratch space included; at least 256MiB. Without it the \
                  number of jobs decides. Where both a host and a target say it, the lower amount holds.",
    },
    Key {
        name: "nice",
        shape: Shape::Whole { least: 0, most: 19 },
        otherwise: Otherwise::Default("5"),
        example: "10",
        meaning: "How much compilers yield to everything else on the host: 0 not at all, 19 the most.",
    },
    Key {
        name: "gcc",
        shape: Shape::Set(&GCC_MAJOR),
        otherwise: Otherwise::Unset,
        example: "[14, 13]",
        meaning: "The major versions of GCC to install, the preferred one first. A job gets the version that its \
                  master has, if it is there. Without it, the default of the target's file.",
    },
    Key {
        name: "headers",
        shape: Shape::Flag,
        otherwise: Otherwise::Default("false"),
        example: "true",
        meaning: "Whether the headers of the C and C++ library are installed, so that pump mode is served.",
    },
    Key {
        name: "publish",
        shape: Shape::Text("^(auto|[0-9A-Fa-f:.]+)$"),
        otherwise: Otherwise::Default("auto"),
        example: "10.30.5.9",
        meaning: "The address of the host on which ports are opened; `auto` is the one that masters dial, 0.0.0.0 \
                  is every one.",
    },
    Key {
        name: "network",
        shape: Shape::Words(Network::WORDS),
        otherwise: Otherwise::Default("bridge"),
        example: "host",
        meaning: "How masters reach a volunteer: through a `bridge` of the farm's own, on which the engine publishes \
                  ports, or on the `host`'s network itself, where an engine that hides clients' addresses is not in \
                  the way.",
    },
    Key {
        name: "restart",
        shape: Shape::Words(Restart::WORDS),
        otherwise: Otherwise::Default("unless-stopped"),
        example: "always",
        meaning: "When the engine starts a volunteer again by itself, in Docker's words.",
    },
    Key {
        name: "stop_grace",
        shape: Shape::Text("^[0-9]+ *[smh]$"),
        otherwise: Otherwise::Default("2m"),
        example: "5m",
        meaning: "How long jobs in flight may finish when a volunteer is stopped or replaced.",
    },
    Key {
        name: "stats",
        shape: Shape::Words(Stats::WORDS),
        otherwise: Otherwise::Default("off"),
        example: "lan",
        meaning: "Who may read a volunteer's statistics over HTTP, on the port of its jobs plus 100: nobody, programs \
                  of the host (`loopback`), or whoever can reach the port of the jobs (`lan`).",
    },
    Key {
        name: "image",
        shape: Shape::OneOf(&[Shape::Words(ImageSource::WORDS), Shape::Keys(&IMAGE)]),
        otherwise: Otherwise::Default("assemble"),
        example: "{ pull: registry.lan/farmctl/armv7h }",
        meaning: "Where the image comes from: farmctl can `assemble` it or pull it from a registry; `never` takes \
                  what the engine has.",
    },
    Key {
        name: "labels",
        shape: Shape::Named(Names::Matching("^[A-Za-z0-9._/-]+$"), &Shape::Text("")),
        otherwise: Otherwise::Unset,
        example: "{ com.example.room: attic }",
        meaning: "Labels for the containers. Those of the farm, the target and the host come together; of two with \
                  one name, the nearer one holds. Names that begin with `farmctl.` are taken.",
    },
];

static ARCHIVE_KEYS: &[Key] = &[
    Key {
        name: "url",
        shape: Shape::Text(r"^(http://[^/\s]|file:///)\S+$"),
        otherwise: Otherwise::Required,
        example: "'http://mirror.lan/x-tools.tar.xz'",
        meaning: "Where the archive is: `http://…`, or `file:///…` for one that is here already.",
    },
    Key {
        name: "sha256",
        shape: Shape::Text("^[0-9A-Fa-f]{64}$"),
        otherwise: Otherwise::Required,
        example: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        meaning: "Its SHA-256, in 64 hexadecimal digits.",
    },
    Key {
        name: "directory",
        shape: RELATIVE,
        otherwise: Otherwise::Required,
        example: "x-tools/aarch64-unknown-linux-gnu",
        meaning: "The folder inside the archive that holds `bin/`.",
    },
    Key {
        name: "gcc",
        shape: GCC_MAJOR,
        otherwise: Otherwise::Required,
        example: "15",
        meaning: "The major version of its GCC.",
    },
    Key {
        name: "c",
        shape: RELATIVE,
        otherwise: Otherwise::Unset,
        example: "bin/aarch64-unknown-linux-gnu-gcc",
        meaning: "The C compiler, starting at `directory`. Without it, `bin/<last part of directory>-gcc`.",
    },
    Key {
        name: "c++",
        shape: RELATIVE,
        otherwise: Otherwise::Unset,
        example: "bin/aarch64-unknown-linux-gnu-g++",
        meaning: "The C++ compiler, starting at `directory`. Without it, `bin/<last part of directory>-g++`.",
    },
    Key {
        name: "libraries",
        shape: Shape::List(&Shape::Text("^[a-z0-9+.-]+$")),
        otherwise: Otherwise::Default("[libc6, libstdc++6, zlib1g, libzstd1, libgcc-s1]"),
        example: "[libc6, zlib1g]",
        meaning: "Debian packages with the shared libraries that its programs need; an empty list for static ones.",
    },
    Key {
        name: "suite",
        shape: Shape::Words(Suite::WORDS),
        otherwise: Otherwise::Default("stable"),
        example: "testing",
        meaning: "The suite of the Debian archive that carries these packages.",
    },
    Key {
        name: "host",
        shape: Shape::Text("^(amd64|x86_64|arm64|aarch64)$"),
        otherwise: Otherwise::Default("amd64"),
        example: "arm64",
        meaning: "The architecture of the hosts that its programs run on. Hosts of another one are not concerned.",
    },
];

const RELATIVE: Shape = Shape::Text(r"^[^/\s]\S*$");
