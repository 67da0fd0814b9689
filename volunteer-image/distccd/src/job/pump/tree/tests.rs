use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A tree in `/w/p`, in a job's directory beside which and in which nothing else may appear.
struct Trial {
    outer: TempDir,
    tree: Tree,
}

impl Trial {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let job = outer.path().join("job");
        fs::create_dir(&job).unwrap();
        let directory = TreePath::parse(b"/w/p").unwrap();
        let tree = Tree::create(&job, &directory).unwrap();
        Self { outer, tree }
    }

    fn file(&mut self, name: &str, contents: &str) -> Result<(), String> {
        match self
            .tree
            .file(name.as_bytes())
            .map_err(|error| error.to_string())?
        {
            Place::File(mut file) => file.write_all(contents.as_bytes()).unwrap(),
            Place::Nowhere => {}
        }
        Ok(())
    }

    fn link(&mut self, name: &str, target: &str) -> Result<(), String> {
        let linked = self.tree.link(name.as_bytes(), target.as_bytes());
        linked.map_err(|error| error.to_string())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.outer.path().join("job/tree").join(name)
    }

    fn read(&self, name: &str) -> Option<String> {
        let mut text = String::new();
        File::open(self.path(name))
            .ok()?
            .read_to_string(&mut text)
            .ok()?;
        Some(text)
    }

    fn is_alone(&self) -> bool {
        let names = |path: &Path| -> Vec<_> {
            fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect()
        };
        names(self.outer.path()) == ["job"] && names(&self.outer.path().join("job")) == ["tree"]
    }
}

fn up(count: usize, to: &str) -> String {
    "../".repeat(count) + to
}

#[test]
fn files_lie_where_the_client_has_them() {
    let mut trial = Trial::new();
    trial.file("/w/p/src/a.c", "int a;").unwrap();
    trial.file("/w/p/src/forcing_technique_271828", "").unwrap();
    trial.file("//w/p//inc/empty.h", "").unwrap();
    assert_eq!(trial.read("w/p/src/a.c").as_deref(), Some("int a;"));
    assert_eq!(trial.read("w/p/inc/empty.h").as_deref(), Some(""));
    assert!(trial.path("w/p").is_dir());
}

#[test]
fn links_of_the_project_lead_to_the_tree_and_never_out_of_it() {
    let mut trial = Trial::new();
    trial.file("/w/inc/a.h", "a").unwrap();
    trial.link("/w/p/incl", "/w/inc").unwrap();
    trial.link("/w/p/passwd", "/etc/passwd").unwrap();
    trial.link("/w/p/root", "/").unwrap();
    assert_eq!(trial.read("w/p/incl/a.h").as_deref(), Some("a"));
    assert_eq!(trial.read("w/p/root/w/inc/a.h").as_deref(), Some("a"));
    assert_eq!(trial.read("w/p/passwd"), None);
    assert_eq!(
        fs::read_link(trial.path("w/p/passwd")).unwrap(),
        Path::new("../../etc/passwd")
    );
}

#[test]
fn nothing_is_written_through_a_link() {
    let mut trial = Trial::new();
    let escape = format!("/w/p/{}", "../".repeat(5));
    let refused = [
        (
            trial.file("../other", ""),
            "the path ../other does not begin with a slash",
        ),
        (
            trial.file("/../other", ""),
            "the path /../other holds '.' or '..'",
        ),
        (
            trial.file("other", ""),
            "the path other does not begin with a slash",
        ),
        (trial.file("/", ""), "the path / is the root directory"),
        (
            trial.link("/w/out", &up(9, "tmp")),
            "the link /w/out leads to ../../../../../../../../../tmp, which holds '.' or '..'",
        ),
        (
            trial.link("/w/out", &escape),
            "the link /w/out leads to /w/p/../../../../../, which holds '.' or '..'",
        ),
    ];
    for (result, expected) in refused {
        assert_eq!(result, Err(expected.to_owned()));
    }
    trial.link("/w/l", "/w/p").unwrap();
    let through = trial.file("/w/l/a.h", "");
    assert_eq!(
        through,
        Err("the path /w/l goes through a link or a file".to_owned())
    );
    trial.file("/w/f", "").unwrap();
    let through = trial.file("/w/f/a.h", "");
    assert_eq!(
        through,
        Err("the path /w/f goes through a link or a file".to_owned())
    );
    assert!(trial.is_alone());
}

#[test]
fn the_same_again_replaces_and_another_kind_is_refused() {
    let mut trial = Trial::new();
    trial.file("/w/a.h", "old and longer").unwrap();
    trial.file("/w/a.h", "new").unwrap();
    assert_eq!(trial.read("w/a.h").as_deref(), Some("new"));
    trial.link("/w/l", "/w/p").unwrap();
    trial.link("/w/l", "/w/p").unwrap();
    let twice = |name: &str| Err(format!("{name} is sent twice"));
    assert_eq!(trial.link("/w/l", "/w"), twice("/w/l"));
    assert_eq!(trial.link("/w/a.h", "/w"), twice("/w/a.h"));
    assert_eq!(trial.link("/w/p", "/w"), twice("/w/p"));
    assert_eq!(trial.file("/w/l", ""), twice("/w/l"));
    assert_eq!(trial.file("/w/p", ""), twice("/w/p"));
}

#[test]
fn only_directories_that_the_compiler_searches_are_linked() {
    let mut trial = Trial::new();
    for name in [
        "/etc",
        "/usr/include/sys",
        "/usr/include",
        "/usr/lib/gcc/x/16/include",
    ] {
        trial.link(name, &up(25, &name[1..])).unwrap();
    }
    // Such files are never sent; a client that does it anyway gets the volunteer's.
    trial.file("/usr/include/stdio.h", "other").unwrap();
    let served =
        ["/usr/include", "/usr/include/sys"].map(|path| TreePath::parse(path.as_bytes()).unwrap());
    trial.tree.link_system(&served).unwrap();
    assert_eq!(
        fs::read_link(trial.path("usr/include")).unwrap(),
        Path::new("/usr/include")
    );
    assert!(!trial.path("etc").exists() && !trial.path("usr/lib").exists());
}

#[test]
fn the_clients_own_files_are_not_hidden_by_a_link() {
    let mut trial = Trial::new();
    trial.file("/usr/include/mine/a.h", "a").unwrap();
    trial.link("/usr/include", &up(22, "usr/include")).unwrap();
    let served = [TreePath::parse(b"/usr/include").unwrap()];
    trial.tree.link_system(&served).unwrap();
    assert_eq!(trial.read("usr/include/mine/a.h").as_deref(), Some("a"));
}

#[test]
fn precompiled_headers_do_not_arrive() {
    let mut trial = Trial::new();
    trial.file("/w/p/a.h.gch", "code").unwrap();
    trial.file("/w/p/b.h.gch/c", "code").unwrap();
    trial.file("/w/p/image", "code").unwrap();
    trial.link("/w/p/d.h.gch", "/w/p/image").unwrap();
    let names: Vec<_> = fs::read_dir(trial.path("w/p"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["image"]);
}

#[test]
fn search_directories_that_were_not_sent_are_made() {
    let mut trial = Trial::new();
    trial.link("/usr/include", &up(22, "usr/include")).unwrap();
    trial.link("/w/l", "/w/elsewhere").unwrap();
    trial.file("/w/f", "").unwrap();
    for path in [
        "inc",
        "gone/../other",
        "/opt/x",
        "../../../top",
        "/usr/include/x",
        "/w/l/x",
        "/w/f/x",
    ] {
        trial.tree.furnish([OsStr::new(path)].into_iter()).unwrap();
    }
    for path in ["w/p/inc", "w/p/gone", "w/p/other", "opt/x", "top"] {
        assert!(trial.path(path).is_dir(), "{path}");
    }
    assert!(!trial.path("usr/include").exists() && !trial.path("w/elsewhere").exists());
}

/// Something that a client may send.
#[derive(Debug, Clone)]
enum Sent {
    File(Vec<u8>),
    Link(Vec<u8>, Vec<u8>),
    Search(Vec<u8>),
}

fn sent() -> impl Strategy<Value = Sent> {
    let part = prop::sample::select(vec![
        "a", "b", "w", "p", "..", ".", "", "l", "usr", "tree", "job",
    ]);
    let path = (any::<bool>(), prop::collection::vec(part, 0..7)).prop_map(|(absolute, parts)| {
        let mut path = if absolute { b"/".to_vec() } else { Vec::new() };
        path.extend(parts.join("/").bytes());
        path
    });
    prop_oneof![
        path.clone().prop_map(Sent::File),
        (path.clone(), path.clone()).prop_map(|(name, target)| Sent::Link(name, target)),
        path.prop_map(Sent::Search),
    ]
}

#[test]
fn a_client_has_so_many_system_directories_and_each_once() {
    let mut trial = Trial::new();
    let system = |trial: &mut Trial, number: usize| {
        let name = format!("/usr/include/{number}");
        let target = format!("{}usr/include/{number}", "../".repeat(23));
        trial.tree.link(name.as_bytes(), target.as_bytes())
    };
    for number in (0..SYSTEM_DIRECTORIES).chain([0, 1]) {
        system(&mut trial, number).unwrap();
    }
    assert_eq!(trial.tree.system().len(), SYSTEM_DIRECTORIES);
    let refused = system(&mut trial, SYSTEM_DIRECTORIES).unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("one directory of the compiler too many"),
        "{refused}"
    );
}

#[test]
fn search_options_make_so_many_directories_at_most() {
    let mut trial = Trial::new();
    let paths: Vec<_> = (0..=FURNISHED_DIRECTORIES)
        .map(|number| OsString::from(format!("/{number}")))
        .collect();
    trial
        .tree
        .furnish(paths.iter().map(OsString::as_os_str))
        .unwrap();
    let made = fs::read_dir(trial.path("")).unwrap().count();
    // The working directory was there before.
    assert_eq!(made, FURNISHED_DIRECTORIES + 1);
}

proptest! {
    #[test]
    fn whatever_is_sent_nothing_leaves_the_tree(entries in prop::collection::vec(sent(), 0..20)) {
        let mut trial = Trial::new();
        for entry in entries {
            match entry {
                Sent::File(name) => drop(trial.tree.file(&name)),
                Sent::Link(name, target) => drop(trial.tree.link(&name, &target)),
                Sent::Search(path) => {
                    trial.tree.furnish([OsStr::from_bytes(&path)].into_iter()).unwrap();
                }
            }
        }
        prop_assert!(trial.is_alone());
        let root = trial.path("").canonicalize().unwrap();
        for link in links(&root) {
            let text = fs::read_link(&link).unwrap();
            prop_assert!(text.is_relative());
            let depth = link.strip_prefix(&root).unwrap().components().count() - 1;
            let ups = text.as_os_str().as_bytes().split(|byte| *byte == b'/').filter(|part| *part == b"..").count();
            prop_assert!(ups <= depth);
            if let Ok(end) = link.canonicalize() {
                prop_assert!(end.starts_with(&root));
            }
        }
    }
}

fn links(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            found.push(entry.path());
        } else if kind.is_dir() {
            found.extend(links(&entry.path()));
        }
    }
    found
}
