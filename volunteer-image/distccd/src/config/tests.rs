use super::*;

fn parsed(line: &str) -> Result<Invocation, ConfigError> {
    parse(
        std::iter::once("distccd")
            .chain(line.split_whitespace())
            .map(OsString::from),
        &Environment::default(),
    )
}

fn config(line: &str) -> Config {
    match parsed(line) {
        Ok(Invocation::Serve(config)) => *config,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn reads_the_command_line_of_a_container() {
    let line = "--daemon --no-detach --log-stderr --port 3635 --jobs 20 --nice 10 --allow 10.0.0.0/8 --allow ::1";
    let config = config(line);
    assert_eq!(config.port.get(), 3635);
    assert_eq!(config.settings.jobs.get(), 20);
    assert_eq!(config.nice, 10);
    assert_eq!(config.settings.allow.to_string(), "10.0.0.0/8 ::1/128");
    assert_eq!(
        config.log,
        Log {
            sink: Sink::StandardError,
            level: Level::INFO
        }
    );
    assert_eq!(config.listen, None);
    assert_eq!(config.compilers.toolchain, None);
    assert_eq!(config.process.mode, Mode::Daemon);
    assert_eq!(config.process.place, Place::Foreground);
    assert!(config.allow_given);
    assert!(config.remarks.is_empty());
}

#[test]
fn short_spellings_mean_the_same_as_long_ones() {
    for line in [
        "-p 3700 -j 3 -N 7 -a 10.1.1.1",
        "-p3700 -j3 -N7 -a10.1.1.1",
        "--port=3700 --jobs=3 --nice=7 --allow=10.1.1.1",
    ] {
        let config = config(line);
        assert_eq!(
            (config.port.get(), config.settings.jobs.get(), config.nice),
            (3700, 3, 7),
            "{line}"
        );
        assert_eq!(config.settings.allow.to_string(), "10.1.1.1/32", "{line}");
    }
}

#[test]
fn the_last_of_several_values_wins_and_stray_words_are_ignored() {
    let config = config("stray --port 1 --port 2 words");
    assert_eq!(config.port.get(), 2);
}

#[test]
fn defaults_are_those_of_the_stock_daemon_where_these_are_sane() {
    let config = config("");
    assert_eq!(config.port.get(), 3632);
    assert_eq!(config.nice, 5);
    assert!(config.settings.jobs.get() > SPARE_JOBS);
    assert!(config.settings.allow.allows("192.168.1.1".parse().unwrap()));
    assert!(!config.settings.allow.allows("8.8.8.8".parse().unwrap()));
    assert!(config.settings.deadlines.job.is_some());
}

#[test]
fn a_lifetime_of_zero_or_less_is_no_end() {
    let lifetime = |line| config(line).settings.deadlines.job;
    assert_eq!(lifetime("--job-lifetime 90"), Some(Duration::from_secs(90)));
    assert_eq!(lifetime("--job-lifetime 0"), None);
    assert_eq!(lifetime("--job-lifetime -5"), None);
}

#[test]
fn other_versions_are_warned_of_unless_told_otherwise() {
    let skew = |line| config(line).settings.version_skew;
    assert_eq!(skew(""), VersionSkew::Warn);
    assert_eq!(skew("--version-skew warn"), VersionSkew::Warn);
    assert_eq!(skew("--version-skew=refuse"), VersionSkew::Refuse);
    assert_eq!(skew("--version-skew ignore"), VersionSkew::Ignore);
}

#[test]
fn every_layer_of_the_sandbox_stays_unless_it_is_named() {
    let layers = |line| config(line).settings.sandbox.to_string();
    assert_eq!(layers(""), "landlock seccomp rlimits");
    assert_eq!(layers("--without-sandbox seccomp"), "landlock rlimits");
    assert_eq!(layers("--without-sandbox landlock,rlimits"), "seccomp");
    let Err(error) = parsed("--without-sandbox seccomp,all") else {
        panic!("refused")
    };
    assert!(
        error
            .to_string()
            .contains("--without-sandbox: 'all' cannot be used"),
        "{error}"
    );
}

#[test]
fn levels_are_named_as_in_syslog() {
    let cases = [
        ("--log-level crit", Level::ERROR, 0),
        ("--log-level warning", Level::WARN, 0),
        ("--log-level note", Level::INFO, 0),
        ("--log-level debug", Level::DEBUG, 0),
        ("--log-level error --verbose", Level::DEBUG, 0),
        ("--log-level loud", Level::INFO, 1),
    ];
    for (line, level, remarks) in cases {
        let config = config(&format!("--no-detach {line}"));
        assert_eq!(
            (config.log.level, config.remarks.len()),
            (level, remarks),
            "{line}"
        );
    }
}

#[test]
fn log_stderr_wins_over_a_log_file() {
    let sink = |line| config(line).log.sink;
    assert_eq!(sink("--log-file /x"), Sink::File("/x".into()));
    assert_eq!(sink("--log-file /x --log-stderr"), Sink::StandardError);
}

#[test]
fn every_wrong_value_is_told_in_one_run() {
    let line = "--port 0 --jobs none --nice much --listen host.example --allow lan --allow 10.0.0.0/40 --job-lifetime x --grace - --version-skew maybe";
    let Err(error) = parsed(line) else {
        panic!("refused")
    };
    let expected = "\
error: --listen: 'host.example' cannot be used
hint: the value is an IP address of this machine, or a name in /etc/hosts; other names are not resolved
error: --port: '0' cannot be used
hint: the value is a port from 1 to 65535
error: --nice: 'much' cannot be used
hint: the value is by how much to lower the priority, such as 10
error: --jobs: 'none' cannot be used
hint: the value is how many compilers may run at once, at least 1
error: --allow: 'lan' is neither an IP address nor a range of them
hint: write an address such as 10.30.5.9 or a range such as 10.30.0.0/16, or a name in /etc/hosts; other names are not resolved
error: --allow: '10.0.0.0/40' is neither an IP address nor a range of them
hint: write an address such as 10.30.5.9 or a range such as 10.30.0.0/16, or a name in /etc/hosts; other names are not resolved
error: --job-lifetime: 'x' cannot be used
hint: the value is seconds that a compile may take, 0 for no end
error: --grace: '-' cannot be used
hint: the value is seconds for jobs in flight when the daemon is told to end
error: --version-skew: 'maybe' cannot be used
hint: the value is warn, refuse or ignore
";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn unknown_options_and_missing_values_are_usage_errors() {
    for line in ["--por 3632", "-Z", "--port", "--jobs"] {
        assert!(matches!(parsed(line), Err(ConfigError::Usage(_))), "{line}");
    }
}

#[test]
fn questions_are_answered() {
    let Ok(Invocation::Print(version)) = parsed("--version") else {
        panic!("printed")
    };
    let lines: Vec<_> = version.lines().collect();
    assert!(lines[0].starts_with("distccd "), "{version}");
    assert!(
        lines[1].starts_with("  (protocols ") && lines[1].ends_with("(default port 3632)"),
        "{version}"
    );
    let Ok(Invocation::Print(help)) = parsed("--help") else {
        panic!("printed")
    };
    assert!(help.contains("--job-lifetime"), "{help}");
}

#[test]
fn a_probe_takes_its_port_from_either_option() {
    for (line, expected) in [
        ("--probe", 3632),
        ("--probe 3635", 3635),
        ("--probe --port 3636", 3636),
        ("--probe=3634", 3634),
    ] {
        let Ok(Invocation::Probe { port, .. }) = parsed(line) else {
            panic!("{line}")
        };
        assert_eq!(port.get(), expected, "{line}");
    }
    assert!(matches!(parsed("--probe x"), Err(ConfigError::Values(_))));
}

#[test]
fn a_probe_asks_where_the_daemon_listens() {
    for (line, expected) in [("", None), ("--listen 10.1.1.1", "10.1.1.1".parse().ok())] {
        let line = format!("--probe 3635 {line}");
        let Ok(Invocation::Probe { listen, .. }) = parsed(&line) else {
            panic!("{line}")
        };
        assert_eq!(listen, expected, "{line}");
    }
}

#[test]
fn statistics_are_told_where_jobs_are_unless_told_otherwise() {
    let told = |line| {
        let stats = config(line).stats?;
        let address = stats
            .listen
            .map_or_else(|| "*".to_owned(), |address| address.to_string());
        Some(format!("{address} {}", stats.port))
    };
    assert_eq!(told("--stats-port 3735"), None);
    assert_eq!(told("--stats").as_deref(), Some("* 3633"));
    assert_eq!(
        told("--stats --listen 10.1.1.1").as_deref(),
        Some("10.1.1.1 3633")
    );
    let own = "--stats --stats-port 3735 --listen 10.1.1.1 --stats-listen 127.0.0.1";
    assert_eq!(told(own).as_deref(), Some("127.0.0.1 3735"));
    assert!(matches!(
        parsed("--stats --stats-port 0"),
        Err(ConfigError::Values(_))
    ));
}

#[test]
fn where_nothing_is_said_the_log_is_where_somebody_looks() {
    let cases = [
        ("", Sink::Syslog),
        ("--daemon", Sink::Syslog),
        ("--inetd", Sink::Syslog),
        ("--inetd --log-stderr", Sink::StandardError),
        ("--no-detach", Sink::StandardError),
        ("--wizard --log-file /x", Sink::StandardError),
    ];
    for (line, expected) in cases {
        assert_eq!(config(line).log.sink, expected, "{line}");
    }
}

#[test]
fn the_process_is_what_the_stock_options_say() {
    let cases = [
        ("", Mode::Unsaid, Place::Background),
        ("--daemon", Mode::Daemon, Place::Background),
        ("--no-detach", Mode::Unsaid, Place::Foreground),
        ("--inetd", Mode::Inetd, Place::Background),
        ("--inetd --daemon", Mode::Inetd, Place::Background),
        (
            "--inetd --enable-tcp-insecure",
            Mode::Inetd,
            Place::Background,
        ),
        ("-W", Mode::Daemon, Place::Foreground),
        ("--daemon --detached", Mode::Daemon, Place::Detached),
    ];
    for (line, mode, place) in cases {
        let process = config(line).process;
        assert_eq!((process.mode, process.place), (mode, place), "{line}");
    }
    let line = "--user me --pid-file /run/me --lifetime 9 --oom-score-adj -5 --no-fifo";
    let expected = Process {
        mode: Mode::Unsaid,
        place: Place::Background,
        user: Some("me".to_owned()),
        pid_file: Some("/run/me".into()),
        lifetime: Some(Duration::from_secs(9)),
        oom_score: Some(-5),
    };
    assert_eq!(config(line).process, expected);
    assert_eq!(config("-P /run/me").process.pid_file, expected.pid_file);
    assert_eq!(config("--lifetime 0").process.lifetime, None);
    assert!(parsed("--oom-score-adj 1001").is_err());
}

#[test]
fn without_forks_there_is_one_job_at_a_time() {
    for line in ["--no-fork", "--no-fork --jobs 9", "--wizard"] {
        assert_eq!(config(line).settings.jobs.get(), 1, "{line}");
    }
    assert_eq!(config("--wizard").log.level, Level::DEBUG);
}

#[test]
fn names_are_those_of_the_hosts_file() {
    let config = config("--listen localhost --allow localhost");
    assert!(config.listen.is_some_and(|address| address.is_loopback()));
    let ranges = config.settings.allow.to_string();
    assert!(
        ["127.0.0.1/32", "::1/128"].contains(&ranges.as_str()),
        "{ranges}"
    );
}

#[test]
fn options_that_are_refused_are_told_with_the_reason() {
    let cases = [
        ("--make-me-a-botnet", false),
        ("--auth", true),
        ("--show-principal", true),
        ("--blacklist /x", false),
        ("--whitelist=/x", false),
        ("--zeroconf", false),
    ];
    for (line, authentication) in cases {
        let Err(ConfigError::Refused(option)) = parsed(line) else {
            panic!("{line}")
        };
        assert_eq!(option.is_authentication(), authentication, "{line}");
        let name = line.split([' ', '=']).next().unwrap();
        assert!(option.message().contains(name), "{line}");
    }
}

fn in_environment(change: impl FnOnce(&mut Environment)) -> Result<Config, String> {
    let mut environment = Environment::default();
    change(&mut environment);
    match parse([OsString::from("distccd")], &environment) {
        Ok(Invocation::Serve(config)) => Ok(*config),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn the_environment_means_what_it_means_to_the_stock_daemon() {
    let config = in_environment(|environment| {
        environment.path = Some("/usr/bin".into());
        environment.own_path = Some("/opt/bin:/opt/more".into());
        environment.list = Some("/etc/list".into());
        environment.list_words = Some("2".into());
        environment.save_temps = Some("1".into());
        environment.io_timeout = Some("7".into());
        environment.cork = Some("0".into());
    })
    .unwrap();
    let expected = CompilerRules {
        toolchain: None,
        any: false,
        list: Some(("/etc/list".into(), NonZeroUsize::new(2).unwrap())),
        path: crate::SearchPath::parse("/opt/bin:/opt/more".as_ref()),
    };
    assert_eq!(config.compilers, expected);
    assert!(config.settings.keep_jobs);
    assert_eq!(config.settings.deadlines.idle, Duration::from_secs(7));
}

#[test]
fn variables_that_mean_nothing_are_told() {
    type Change = fn(&mut Environment);
    let cases: [(Change, &str); 5] = [
        (
            |it| it.io_timeout = Some("0".into()),
            "DISTCC_IO_TIMEOUT: '0'",
        ),
        (
            |it| it.io_timeout = Some("-3".into()),
            "DISTCC_IO_TIMEOUT: '-3'",
        ),
        (
            |it| it.save_temps = Some("2".into()),
            "DISTCC_SAVE_TEMPS: '2'",
        ),
        (
            |it| it.defer_accept = Some("yes".into()),
            "DISTCC_TCP_DEFER_ACCEPT: 'yes'",
        ),
        (
            |it| it.list_words = Some("0".into()),
            "DISTCC_CMDLIST_NUMWORDS: '0'",
        ),
    ];
    for (change, expected) in cases {
        let told = in_environment(change).unwrap_err();
        assert!(told.starts_with(&format!("error: {expected}")), "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
    }
}
