//! `docs/json.md` lists every field of every document that a command prints.
