//! One case, against both servers.

use std::fs;
use std::path::Path;

use crate::cases::{Case, Contents, Seen};
use crate::client::{self, Client, Done};
use crate::relay::{Pace, Relay};
use crate::server::Kind;
use crate::stage::{Stage, Trouble};

/// How clients name hosts, by protocol version.
const MODES: [(&str, &str); 2] = [("version 1", ""), ("version 2", ",lzo")];

/// Runs `case` against both servers and compares what was seen with what the case says.
pub(crate) fn both(stage: &Stage, case: &Case) -> Result<(), Trouble> {
    if let Some((file, package)) = case.needs
        && !Path::new(file).exists()
    {
        return Err(Trouble::Missing(format!("{package} is not installed")));
    }
    let folder = stage.folder()?;
    write(&folder, case)?;
    let local = client::compile_here(&case.words, &folder, case.output)?;
    let local_side = side(&folder, case);
    let mut wrong = Vec::new();
    for (mode, option) in MODES {
        let mut messages = Vec::new();
        for kind in Kind::BOTH {
            let relay = Relay::to(stage.server(kind).address, Pace::Free)?;
            let client = Client {
                folder: &folder,
                hosts: format!("{}{option}", relay.address),
                environment: Vec::new(),
            };
            let done = client.compile(&case.words, case.output)?;
            let seen = seen(&done, &local, relay.was_used());
            let expected = case.expected(kind);
            if seen != expected {
                wrong.push(format!(
                    "{mode}, {kind}: {seen:?} where {expected:?} is expected\n{}",
                    done.stderr
                ));
            }
            if side(&folder, case) != local_side {
                wrong.push(format!(
                    "{mode}, {kind}: another {}",
                    case.side.unwrap_or_default()
                ));
            }
            messages.push(format!("{}{}", done.stdout, done.stderr));
        }
        if case.differs.is_none() && messages[0] != messages[1] {
            wrong.push(format!(
                "{mode}: {} says:\n{}{} says:\n{}",
                Kind::Stock,
                messages[0],
                Kind::Ours,
                messages[1]
            ));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Trouble::Wrong(wrong.join("\n")))
    }
}

fn write(folder: &Path, case: &Case) -> Result<(), Trouble> {
    for (name, contents) in case.files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match contents {
            Contents::Text(text) => fs::write(path, text)?,
            Contents::Made(make) => fs::write(path, make())?,
            Contents::Link(target) => std::os::unix::fs::symlink(target, path)?,
        }
    }
    Ok(())
}

/// What the client's own preprocessor leaves beside the object; taken away.
fn side(folder: &Path, case: &Case) -> Option<String> {
    let path = folder.join(case.side?);
    let text = fs::read_to_string(&path).ok();
    drop(fs::remove_file(path));
    text
}

fn seen(done: &Done, local: &Done, asked: bool) -> Seen {
    match (asked, done.code, &done.output) {
        (false, code, _) => Seen::Local(code),
        (true, 0, Some(object)) if object.is_empty() => Seen::Empty,
        (true, 0, object) if object.is_some() && *object == local.output => Seen::Compiled,
        (true, 0, _) => Seen::Other,
        (true, code, _) => Seen::Failed(code),
    }
}
