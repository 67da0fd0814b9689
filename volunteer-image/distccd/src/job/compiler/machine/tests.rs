use std::ffi::OsStr;
use std::os::unix::fs::symlink;

use super::*;

/// A machine with these programs in `bin`, and these names in `names`.
struct Sketch {
    folder: tempfile::TempDir,
}

impl Sketch {
    fn new(programs: &[&str], names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sketch = Self { folder };
        for (directory, files) in [("bin", programs), ("names", names)] {
            fs::create_dir(sketch.path(directory)).unwrap();
            for file in files {
                symlink("/bin/sh", sketch.path(directory).join(file)).unwrap();
            }
        }
        sketch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where `name` is found, without the folder, or why it is not.
    fn found(&self, permission: Permission, name: &str) -> String {
        let path = SearchPath::parse(self.path("bin").as_os_str());
        let machine = Machine::new(permission, path);
        let name = Name::parse(name).unwrap();
        match machine.find(&name) {
            Ok(program) => {
                let own = program.strip_prefix(self.folder.path()).unwrap_or(&program);
                own.display().to_string()
            }
            Err(NoCompiler::Denied { why, .. }) => format!("{why:?}"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_name_needs_an_entry_and_a_program_but_not_that_one() {
    let sketch = Sketch::new(&["gcc", "g++", "clang"], &["gcc", "gcc-12", "clang"]);
    let cases = [
        ("gcc", "bin/gcc"),
        ("clang", "bin/clang"),
        ("g++", "NotNamed"),
        ("gcc-12", "Absent"),
        ("/usr/bin/gcc", "bin/gcc"),
        ("/bin/gcc", "bin/gcc"),
        ("/usr/bin/g++", "NotNamed"),
        ("/opt/bin/gcc", "NotNamed"),
        ("../bin/gcc", "NotNamed"),
        ("/usr/bin/../names/gcc", "NotNamed"),
    ];
    for (name, expected) in cases {
        let directories = vec![sketch.path("missing"), sketch.path("names")];
        let found = sketch.found(Permission::Names(directories), name);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_list_permits_its_programs_by_the_end_of_their_path() {
    let sketch = Sketch::new(&["gcc", "g++"], &["gcc"]);
    let list = sketch.path("list");
    let lines = ["bin/gcc", "names/gcc", "bin/absent-gcc"].map(|name| sketch.path(name));
    let lines = lines.map(|path| path.display().to_string());
    fs::write(&list, format!("{}\ng++\n\n", lines.join("\n"))).unwrap();
    let cases = [
        (1, "gcc", "bin/gcc"),
        (1, "/anywhere/gcc", "bin/gcc"),
        (1, "absent-gcc", "Absent"),
        (1, "g++", "NotListed"),
        (2, "names/gcc", "names/gcc"),
        (2, "/x/bin/gcc", "bin/gcc"),
        (2, "gcc", "NotListed"),
    ];
    for (components, name, expected) in cases {
        let components = NonZeroUsize::new(components).unwrap();
        let permission = Permission::list(&list, components).unwrap();
        assert_eq!(sketch.found(permission, name), expected, "{name}");
    }
}

#[test]
fn a_list_that_cannot_be_read_permits_nothing() {
    let missing = Permission::list(Path::new("/nonexistent"), NonZeroUsize::MIN);
    assert!(matches!(missing, Err(NoPermission::UnreadableList { .. })));
}

#[test]
fn without_the_list_of_names_only_the_search_path_counts() {
    let sketch = Sketch::new(&["gcc"], &["g++"]);
    let own = sketch.path("names/g++").display().to_string();
    let known = sketch.path("bin/gcc").display().to_string();
    let cases = [
        ("gcc", "bin/gcc"),
        ("/elsewhere/gcc", "bin/gcc"),
        (known.as_str(), "bin/gcc"),
        ("g++", "Absent"),
        (own.as_str(), "Absent"),
    ];
    for (name, expected) in cases {
        assert_eq!(
            sketch.found(Permission::SearchPath, name),
            expected,
            "{name}"
        );
    }
}

#[test]
fn compilers_may_read_where_they_and_their_links_are() {
    let sketch = Sketch::new(&["gcc"], &["gcc"]);
    let path = SearchPath::parse(OsStr::new(sketch.path("bin").as_os_str()));
    let machine = Machine::new(Permission::Names(vec![sketch.path("names")]), path);
    let homes = machine.homes();
    assert!(homes.contains(&sketch.path("bin")), "{homes:?}");
    let shell = Path::new("/bin/sh").canonicalize().unwrap();
    let real = home::of_machine(&shell).unwrap();
    assert!(homes.contains(&real), "{homes:?}");
}
