//! The statistics in the stock daemon's format, for programs that read it.
//!
//! Names, order and blanks are the stock daemon's, line ends too, in the header as in the body. New fields come last;
//! `dcc_free_mem` is one that later versions of the stock daemon have.

use std::fmt::Write;

use super::machine::{Load, Processes};

/// What precedes the body, whatever was asked and even if nothing was.
pub(super) const HEADER: &str = "HTTP/1.0 200 OK\nContent-Type: text/plain\nConnection: close\n\n";

/// Everything the format tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StockStatistics {
    pub(super) counts: Counts,
    /// The slowest job that succeeded: its file, its compiler and its milliseconds.
    pub(super) longest: Option<(String, String, u128)>,
    pub(super) slots: usize,
    /// Mean number of running jobs in the last minute, 5 and 15 minutes.
    pub(super) mean_running: [u64; 3],
    /// Jobs finished in the last minute, 5 and 15 minutes.
    pub(super) finished: [u64; 3],
    pub(super) load: Load,
    pub(super) processes: Processes,
    pub(super) disk_sectors_per_second: Option<u64>,
    pub(super) free_disk_bytes: Option<u64>,
    pub(super) free_memory_bytes: Option<u64>,
}

/// Connections and jobs since the start, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) bad_requests: u64,
    pub(super) overload: u64,
    pub(super) compiled: u64,
    pub(super) failed: u64,
    pub(super) overtime: u64,
    pub(super) client_gone: u64,
    pub(super) other: u64,
}

impl StockStatistics {
    /// The body.
    pub(super) fn body(&self) -> String {
        let mut body = "argv /distccd\n<distccstats>\n".to_owned();
        for (name, value) in self.fields() {
            // Writing to a string cannot fail.
            let _ = writeln!(body, "dcc_{name} {value}");
        }
        body.push_str("</distccstats>\n");
        body
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let Counts {
            accepted,
            bad_requests,
            overload,
            compiled,
            failed,
            overtime,
            client_gone,
            other,
        } = self.counts;
        let none = || ("none".to_owned(), "none".to_owned(), "-1".to_owned());
        let (file, compiler, milliseconds) =
            self.longest
                .as_ref()
                .map_or_else(none, |(file, compiler, milliseconds)| {
                    (file.clone(), compiler.clone(), milliseconds.to_string())
                });
        let average = |position: usize| format!("{:.2}", self.load.averages[position]);
        vec![
            ("tcp_accept", accepted.to_string()),
            ("rej_bad_req", bad_requests.to_string()),
            ("rej_overload", overload.to_string()),
            ("compile_ok", compiled.to_string()),
            ("compile_error", failed.to_string()),
            ("compile_timeout", overtime.to_string()),
            ("cli_disconnect", client_gone.to_string()),
            ("other", other.to_string()),
            ("longest_job", file),
            ("longest_job_compiler", compiler),
            ("longest_job_time_msecs", milliseconds),
            ("max_kids", self.slots.to_string()),
            ("avg_kids1", self.mean_running[0].to_string()),
            ("avg_kids2", self.mean_running[1].to_string()),
            ("avg_kids3", self.mean_running[2].to_string()),
            ("current_load", self.load.runnable.to_string()),
            ("load1", average(0)),
            ("load2", average(1)),
            ("load3", average(2)),
            ("num_compiles1", self.finished[0].to_string()),
            ("num_compiles2", self.finished[1].to_string()),
            ("num_compiles3", self.finished[2].to_string()),
            ("num_procstate_D", self.processes.in_disk_sleep.to_string()),
            ("max_RSS", self.processes.largest_kib.to_string()),
            ("max_RSS_name", self.processes.largest_name.clone()),
            ("io_rate", or_unknown(self.disk_sectors_per_second)),
            (
                "free_space",
                format!("{} MB", or_unknown(self.free_disk_bytes.map(mebibytes))),
            ),
            (
                "free_mem",
                format!("{} MB", or_unknown(self.free_memory_bytes.map(mebibytes))),
            ),
        ]
    }
}

fn or_unknown(value: Option<u64>) -> String {
    value.map_or_else(|| "-1".to_owned(), |value| value.to_string())
}

fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the stock daemon told it ("--stats HTTP output" in the protocol reference), and what later versions add.
    const EXAMPLE: &str = "\
argv /distccd
<distccstats>
dcc_tcp_accept 6
dcc_rej_bad_req 1
dcc_rej_overload 0
dcc_compile_ok 3
dcc_compile_error 1
dcc_compile_timeout 0
dcc_cli_disconnect 0
dcc_other 1
dcc_longest_job hello.c
dcc_longest_job_compiler x86_64-linux-gnu-gcc
dcc_longest_job_time_msecs 23
dcc_max_kids 4
dcc_avg_kids1 0
dcc_avg_kids2 0
dcc_avg_kids3 0
dcc_current_load 2
dcc_load1 1.99
dcc_load2 2.01
dcc_load3 1.26
dcc_num_compiles1 0
dcc_num_compiles2 0
dcc_num_compiles3 0
dcc_num_procstate_D 0
dcc_max_RSS 88564
dcc_max_RSS_name (dockerd)
dcc_io_rate -1
dcc_free_space 77046 MB
dcc_free_mem 2048 MB
</distccstats>
";

    fn example() -> StockStatistics {
        StockStatistics {
            counts: Counts {
                accepted: 6,
                bad_requests: 1,
                compiled: 3,
                failed: 1,
                other: 1,
                ..Counts::default()
            },
            longest: Some(("hello.c".to_owned(), "x86_64-linux-gnu-gcc".to_owned(), 23)),
            slots: 4,
            mean_running: [0; 3],
            finished: [0; 3],
            load: Load {
                runnable: 2,
                averages: [1.99, 2.01, 1.26],
            },
            processes: Processes {
                in_disk_sleep: 0,
                largest_kib: 88564,
                largest_name: "(dockerd)".to_owned(),
            },
            disk_sectors_per_second: None,
            free_disk_bytes: Some((77046 << 20) + 5),
            free_memory_bytes: Some(2048 << 20),
        }
    }

    #[test]
    fn the_body_is_the_stock_daemons_byte_for_byte() {
        assert_eq!(example().body(), EXAMPLE);
    }

    #[test]
    fn what_is_not_known_is_told_as_the_stock_daemon_does() {
        let unknown = StockStatistics {
            longest: None,
            free_disk_bytes: None,
            free_memory_bytes: None,
            ..example()
        };
        let body = unknown.body();
        for line in [
            "dcc_longest_job none",
            "dcc_longest_job_compiler none",
            "dcc_longest_job_time_msecs -1",
            "dcc_free_space -1 MB",
            "dcc_free_mem -1 MB",
        ] {
            assert!(body.lines().any(|found| found == line), "{line} in {body}");
        }
    }
}
