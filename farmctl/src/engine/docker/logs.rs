//! A container's or a task's log, in the engine's words.

use std::time::SystemTime;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};
use futures_util::{Stream, StreamExt};

use super::super::{EngineError, LogLine, LogRequest, LogStream};
use super::failure::{Missing as _, Operation};

/// The lines in what was written.
pub(super) fn lines<W>(
    written: W,
    doing: Operation<'_>,
) -> impl Stream<Item = Result<LogLine, EngineError>> + Send + use<W>
where
    W: Stream<Item = Result<LogOutput, Error>> + Send,
{
    let (line_to_engine, operation) = (doing.line.clone(), doing.operation);
    written.filter_map(move |output| {
        let line = match output {
            Ok(output) => Some(Ok(line(output))),
            // Removed meanwhile: it has nothing more to say.
            Err(error) if error.is_missing() => None,
            Err(error) => {
                let doing = Operation {
                    line: &line_to_engine,
                    operation: operation.clone(),
                };
                Some(Err(doing.failed(error)))
            }
        };
        std::future::ready(line)
    })
}

/// What the engine is asked for.
pub(super) fn options(request: &LogRequest) -> LogsOptions {
    let since = request
        .since
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since| i32::try_from(since.as_secs()).ok())
        .unwrap_or_default();
    let tail = request
        .tail
        .map_or_else(|| "all".to_owned(), |lines| lines.to_string());
    LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .follow(request.follow)
        .since(since)
        .tail(&tail)
        .build()
}

/// The engine puts the time and a blank before each line.
fn line(output: LogOutput) -> LogLine {
    let (stream, bytes) = match output {
        LogOutput::StdErr { message } => (LogStream::Stderr, message),
        LogOutput::StdOut { message }
        | LogOutput::StdIn { message }
        | LogOutput::Console { message } => (LogStream::Stdout, message),
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    let stamped = text.split_once(' ').unwrap_or((text, ""));
    let (time, message) = match humantime::parse_rfc3339(stamped.0) {
        Ok(time) => (time, stamped.1),
        Err(_no_time) => (SystemTime::UNIX_EPOCH, text),
    };
    LogLine {
        time,
        stream,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(text: &'static str) -> LogLine {
        line(LogOutput::StdErr {
            message: text.as_bytes().into(),
        })
    }

    #[test]
    fn a_line_has_its_time_in_front() {
        let line = read("1970-01-01T00:00:01.000000002Z job  done\r\n");
        assert_eq!(
            line.time,
            SystemTime::UNIX_EPOCH + Duration::new(1, 2),
            "to the nanosecond"
        );
        assert_eq!(line.stream, LogStream::Stderr);
        assert_eq!(line.message, "job  done");
        assert_eq!(read("1970-01-01T00:00:01.5Z \n").message, "");
        assert_eq!(read("1970-01-01T00:00:01.5Z").message, "");
    }

    #[test]
    fn a_line_without_a_time_is_kept_whole() {
        let line = read("no time here\n");
        assert_eq!(line.time, SystemTime::UNIX_EPOCH);
        assert_eq!(line.message, "no time here");
    }

    #[test]
    fn what_is_not_said_is_everything() {
        let all = options(&LogRequest::default());
        assert_eq!(
            (all.tail.as_str(), all.since, all.follow),
            ("all", 0, false)
        );
        let some = options(&LogRequest {
            follow: true,
            tail: Some(3),
            since: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(7900)),
        });
        assert_eq!(
            (some.tail.as_str(), some.since, some.follow),
            ("3", 7, true)
        );
    }
}
