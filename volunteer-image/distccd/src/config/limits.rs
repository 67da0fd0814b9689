//! The options that bound what clients may ask for, and how long everything may take.

use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

use super::{BadValue, value};
use crate::{Deadlines, Settings};

/// Limits and deadlines as they are written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitFlags {
    /// Arguments of one request [default: 65536]
    #[arg(long, value_name = "COUNT")]
    max_arguments: Option<String>,

    /// One argument [default: 128KiB]
    #[arg(long, value_name = "SIZE")]
    max_argument_size: Option<String>,

    /// All arguments of a request together [default: 2MiB]
    #[arg(long, value_name = "SIZE")]
    max_arguments_size: Option<String>,

    /// The name of one file or directory [default: 4KiB]
    #[arg(long, value_name = "SIZE")]
    max_path_size: Option<String>,

    /// Files and links of one request in pump mode [default: 100000]
    #[arg(long, value_name = "COUNT")]
    max_files: Option<String>,

    /// One source file as it is sent [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    max_file_size: Option<String>,

    /// One source file after decompression [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    max_unpacked_size: Option<String>,

    /// A whole request as it is sent [default: 3GiB]
    #[arg(long, value_name = "SIZE")]
    max_request_size: Option<String>,

    /// All files of a request together after decompression [default: 3GiB]
    #[arg(long, value_name = "SIZE")]
    max_unpacked_request_size: Option<String>,

    /// The object that is sent back [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    max_object_size: Option<String>,

    /// What is sent back of each of a compiler's outputs [default: 4MiB]
    #[arg(long, value_name = "SIZE")]
    max_printed_size: Option<String>,

    /// Clients connected at once [default: 4 for each job, at least 256]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<String>,

    /// Connections of one client address [default: half of all]
    #[arg(long, value_name = "COUNT")]
    max_client_connections: Option<String>,

    /// Jobs that wait for a slot [default: as many as clients can be connected]
    #[arg(long, value_name = "COUNT")]
    max_queue: Option<String>,

    /// Seconds that a job may wait for a slot [default: 240]
    #[arg(long, value_name = "SECONDS")]
    queue_timeout: Option<String>,

    /// Seconds from the connection to the last argument [default: 30]
    #[arg(long, value_name = "SECONDS")]
    header_timeout: Option<String>,

    /// Seconds from the last argument to the source, which the client's preprocessor needs [default: 600]
    #[arg(long, value_name = "SECONDS")]
    preprocessing_timeout: Option<String>,

    /// Seconds for the whole source [default: 600]
    #[arg(long, value_name = "SECONDS")]
    transfer_timeout: Option<String>,

    /// Seconds between two pieces of the source, and of the reply [default: 60]
    #[arg(long, value_name = "SECONDS")]
    idle_timeout: Option<String>,
}

impl LimitFlags {
    /// Changes in `settings` what the options say; values that mean nothing are added to `bad`.
    pub(super) fn apply(&self, settings: &mut Settings, bad: &mut Vec<BadValue>) {
        self.apply_sizes(settings, bad);
        self.apply_connections(settings, bad);
        self.apply_deadlines(&mut settings.deadlines, bad);
    }

    #[rustfmt::skip]
    fn apply_sizes(&self, settings: &mut Settings, bad: &mut Vec<BadValue>) {
        let limits = &mut settings.limits;
        count("--max-arguments", self.max_arguments.as_deref(), &mut limits.argument_count, bad);
        size("--max-argument-size", self.max_argument_size.as_deref(), &mut limits.argument_bytes, bad);
        size("--max-arguments-size", self.max_arguments_size.as_deref(), &mut limits.arguments_bytes, bad);
        size("--max-path-size", self.max_path_size.as_deref(), &mut limits.path_bytes, bad);
        count("--max-files", self.max_files.as_deref(), &mut limits.entry_count, bad);
        size("--max-file-size", self.max_file_size.as_deref(), &mut limits.body_bytes, bad);
        size("--max-unpacked-size", self.max_unpacked_size.as_deref(), &mut limits.decoded_body_bytes, bad);
        size("--max-request-size", self.max_request_size.as_deref(), &mut limits.total_bytes, bad);
        size("--max-unpacked-request-size", self.max_unpacked_request_size.as_deref(), &mut limits.decoded_total_bytes, bad);
        size("--max-object-size", self.max_object_size.as_deref(), &mut settings.object_bytes, bad);
        size("--max-printed-size", self.max_printed_size.as_deref(), &mut settings.printed_bytes, bad);
    }

    #[rustfmt::skip]
    fn apply_connections(&self, settings: &mut Settings, bad: &mut Vec<BadValue>) {
        let mut connections = settings.connections;
        count("--max-connections", self.max_connections.as_deref(), &mut connections, bad);
        settings.limit_connections(connections);
        count("--max-client-connections", self.max_client_connections.as_deref(), &mut settings.client_connections, bad);
        count("--max-queue", self.max_queue.as_deref(), &mut settings.queue, bad);
    }

    #[rustfmt::skip]
    fn apply_deadlines(&self, deadlines: &mut Deadlines, bad: &mut Vec<BadValue>) {
        seconds("--queue-timeout", self.queue_timeout.as_deref(), &mut deadlines.queue, bad);
        seconds("--header-timeout", self.header_timeout.as_deref(), &mut deadlines.header, bad);
        seconds("--preprocessing-timeout", self.preprocessing_timeout.as_deref(), &mut deadlines.preprocessing, bad);
        seconds("--transfer-timeout", self.transfer_timeout.as_deref(), &mut deadlines.source, bad);
        seconds("--idle-timeout", self.idle_timeout.as_deref(), &mut deadlines.idle, bad);
    }
}

fn count<T: TryFrom<NonZeroU32>>(
    option: &str,
    text: Option<&str>,
    place: &mut T,
    bad: &mut Vec<BadValue>,
) {
    let count = text.and_then(|text| value(option, text, "a count, at least 1", bad));
    if let Some(count) = count.and_then(|count: NonZeroU32| T::try_from(count).ok()) {
        *place = count;
    }
}

fn size<T: TryFrom<u64>>(option: &str, text: Option<&str>, place: &mut T, bad: &mut Vec<BadValue>) {
    let meaning =
        "bytes, or KiB, MiB or GiB as in 64MiB, less than 4GiB for a single argument or file";
    let size = text.and_then(|text| value(option, text, meaning, bad));
    if let Some(Size(size)) = size {
        *place = size;
    }
}

fn seconds(option: &str, text: Option<&str>, place: &mut Duration, bad: &mut Vec<BadValue>) {
    let seconds = text.and_then(|text| value(option, text, "seconds, at least 1", bad));
    if let Some(seconds) = seconds {
        *place = Duration::from_secs(u64::from(NonZeroU32::get(seconds)));
    }
}

/// A number of bytes with or without a unit, in the type that holds it.
struct Size<T>(T);

const UNITS: [(&str, u32); 3] = [("KiB", 10), ("MiB", 20), ("GiB", 30)];

impl<T: TryFrom<u64>> FromStr for Size<T> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let unit = |(name, shift): &(&str, u32)| Some((text.strip_suffix(name)?, *shift));
        let (digits, shift) = UNITS.iter().find_map(unit).unwrap_or((text, 0));
        let count: NonZeroU64 = digits.trim_end().parse().map_err(drop)?;
        let bytes = count.get().checked_mul(1 << shift).ok_or(())?;
        T::try_from(bytes).map(Self).map_err(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use clap::{Args, Command, FromArgMatches};

    use super::*;
    use crate::AllowList;

    fn settings() -> Settings {
        let allow = AllowList::new(Vec::new(), true);
        Settings::new(NonZeroUsize::MIN, allow, "/nonexistent".into())
    }

    fn applied(words: &[String]) -> (Settings, Vec<String>) {
        let command = LimitFlags::augment_args(Command::new("limits").no_binary_name(true));
        let matches = command.try_get_matches_from(words).unwrap();
        let flags = LimitFlags::from_arg_matches(&matches).unwrap();
        let (mut settings, mut bad) = (settings(), Vec::new());
        flags.apply(&mut settings, &mut bad);
        (settings, bad.into_iter().map(|bad| bad.message).collect())
    }

    /// Every option with the default that its help tells.
    fn told_defaults() -> Vec<(String, String)> {
        let command = LimitFlags::augment_args(Command::new("limits"));
        let told = command.get_arguments().map(|argument| {
            let help = argument.get_help().unwrap().to_string();
            let default = help.split_once("[default: ").unwrap().1;
            (
                argument.get_long().unwrap().to_owned(),
                default.trim_end_matches(']').to_owned(),
            )
        });
        told.collect()
    }

    #[test]
    fn the_help_tells_the_defaults_that_hold() {
        let words: Vec<_> = told_defaults()
            .into_iter()
            .filter(|(_, default)| !default.contains(' '))
            .map(|(option, default)| format!("--{option}={default}"))
            .collect();
        let (told, bad) = applied(&words);
        assert_eq!(format!("{told:?}"), format!("{:?}", settings()));
        assert!(bad.is_empty());
        assert!(words.len() >= 15, "{words:?}");
    }

    #[test]
    fn every_option_changes_something_of_its_own() {
        let mut seen = vec![format!("{:?}", settings())];
        for (option, _) in told_defaults() {
            let (changed, bad) = applied(&[format!("--{option}=7")]);
            let changed = format!("{changed:?}");
            assert!(!seen.contains(&changed) && bad.is_empty(), "{option}");
            seen.push(changed);
        }
    }

    #[test]
    fn sizes_take_units_and_what_means_nothing_is_told() {
        let cases = [
            ("512", Some(512)),
            ("3KiB", Some(3 << 10)),
            ("64MiB", Some(64 << 20)),
            ("2 GiB", Some(2 << 30)),
            ("0", None),
            ("", None),
            ("1kB", None),
            ("-1", None),
            ("1.5GiB", None),
            ("99999999999GiB", None),
        ];
        for (text, expected) in cases {
            let size = text.parse::<Size<u64>>().ok().map(|size| size.0);
            assert_eq!(size, expected, "{text}");
        }
        let words = [
            "--max-file-size=4GiB",
            "--max-files=0",
            "--idle-timeout=soon",
        ];
        let (unchanged, bad) = applied(&words.map(str::to_owned));
        assert_eq!(format!("{unchanged:?}"), format!("{:?}", settings()));
        assert_eq!(
            bad,
            [
                "--max-files: '0' cannot be used",
                "--max-file-size: '4GiB' cannot be used",
                "--idle-timeout: 'soon' cannot be used"
            ]
        );
    }

    #[test]
    fn one_client_may_have_half_of_the_connections_unless_told_otherwise() {
        let connections = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            let (settings, _) = applied(&words);
            (
                settings.connections.get(),
                settings.client_connections.get(),
                settings.queue.get(),
            )
        };
        assert_eq!(connections(&["--max-connections=10"]), (10, 5, 10));
        assert_eq!(connections(&["--max-connections=1"]), (1, 1, 1));
        let words = [
            "--max-connections=10",
            "--max-client-connections=9",
            "--max-queue=3",
        ];
        assert_eq!(connections(&words), (10, 9, 3));
    }
}
