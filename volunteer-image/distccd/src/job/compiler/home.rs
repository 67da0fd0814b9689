//! Where compilers are installed, and so what they must be able to read.

use std::path::{Path, PathBuf};

/// What is in an installation's root when compilers are part of it.
const COMPILER_LIBRARIES: [&str; 4] = ["lib/gcc", "lib64/gcc", "libexec/gcc", "lib/clang"];

/// Where the compiler of an image is installed: what is above its `bin`, or its own directory. Never the root.
pub(super) fn of_image(program: &Path) -> Option<PathBuf> {
    let own = program.parent()?;
    Some(above_bin(own).unwrap_or(own).to_owned())
}

/// The same for a program of any machine, where what is above `bin` may be somebody's home: taken only if a compiler's
/// libraries are there.
pub(super) fn of_machine(program: &Path) -> Option<PathBuf> {
    let own = program.parent()?;
    let installation = above_bin(own).filter(|above| {
        let libraries = COMPILER_LIBRARIES.iter();
        libraries
            .map(|name| above.join(name))
            .any(|library| library.is_dir())
    });
    Some(installation.unwrap_or(own).to_owned())
}

fn above_bin(directory: &Path) -> Option<&Path> {
    let above = directory.parent().filter(|_| directory.ends_with("bin"));
    above.filter(|above| above.parent().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_brings_its_own_installation_and_never_the_root() {
        let cases = [
            ("/usr/bin/gcc", "/usr"),
            ("/opt/cross/bin/arm-linux-gnueabihf-gcc", "/opt/cross"),
            ("/opt/odd/gcc", "/opt/odd"),
            ("/bin/gcc", "/bin"),
        ];
        for (program, expected) in cases {
            assert_eq!(
                of_image(Path::new(program)),
                Some(expected.into()),
                "{program}"
            );
        }
        assert_eq!(of_image(Path::new("/")), None);
    }

    #[test]
    fn a_program_in_somebodys_home_brings_its_directory_only() {
        let home = tempfile::tempdir().unwrap();
        let program = home.path().join("bin/gcc");
        assert_eq!(of_machine(&program), Some(home.path().join("bin")));
        std::fs::create_dir_all(home.path().join("lib/gcc")).unwrap();
        assert_eq!(of_machine(&program), Some(home.path().to_owned()));
    }
}
