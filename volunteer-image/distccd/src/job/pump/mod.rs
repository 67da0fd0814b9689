//! Pump mode: the client sends its headers instead of running the preprocessor.
//!
//! ```text
//! CDIR, NAME, FILE, LINK ──arriving──► Tree ──► compiler, in the tree ──translation──► the client's own names
//!        path, link: judged            written by dirfds    search: whose system headers
//! ```
//!
//! A job's directory then holds a tree in which everything lies where the client has it ([`path`], [`link`], [`tree`]).
//! The command's paths lead there ([`layout`]; which options have paths say the tables of [`super::argv`]). Headers of
//! the system are not sent: the compiler here uses those beside it, in the directories that it searches by itself
//! ([`search`]). On the way back names of this volunteer become the client's again ([`translation`]).
//!
//! The tree is no prison, the sandbox is: `#include "/etc/passwd"` in a source means the volunteer's file, and the file
//! layer denies it. Of the system's files a source can name those that compilers may read anyway.
//!
//! A status from 1 to 127 that the client's own compiler does not agree with switches pump mode off for the rest of the
//! client's build. So a compile that fails for want of a file is a refusal ([`missing`]): the client may well have it.

mod arriving;
mod layout;
mod link;
mod missing;
mod path;
mod search;
mod translation;
mod tree;

pub(crate) use arriving::Arriving;
pub(crate) use layout::Layout;
pub(super) use missing::lacks_a_file;
pub(crate) use path::{BadPath, TreePath};
pub(crate) use search::SearchLists;
pub(super) use translation::Translation;
pub(crate) use tree::{BadEntry, Tree, TreeError};
