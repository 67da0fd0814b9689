//! Of all that might be needed, what is: a compiler that is moved as a whole still finds its parts relative to its own
//! place, so every part stays where it was.

use super::{TarballFault, Unpacked, Wanted};
use crate::farm::Architecture;
use crate::image::package::{ElfError, ImagePath, Linkage, Needs, Node, Tree, linkage};

/// The compilers proper.
const COMPILERS: [&str; 2] = ["cc1", "cc1plus"];

pub(super) fn select(
    candidates: &Tree,
    home: &ImagePath,
    wanted: &Wanted,
) -> Result<Unpacked, TarballFault> {
    let mut selection = Selection {
        candidates,
        host: wanted.host,
        tree: Tree::default(),
        needs: Needs::new(),
    };
    for driver in [&wanted.gcc, &wanted.gxx] {
        selection.program(driver)?;
    }
    for name in COMPILERS {
        let compiler = find_compiler(candidates, home, name, wanted.major)?;
        selection.program(&compiler.path)?;
        selection.assembler(home, compiler.triple)?;
        selection.way_back(home, &compiler)?;
    }
    Ok(Unpacked {
        tree: selection.tree,
        needs: selection.needs,
    })
}

/// `<home>/libexec/gcc/<triple>/<version>/cc1`, taken apart.
struct CompilerProper<'a> {
    path: ImagePath,
    /// `gcc`, or `gcc-cross` as Debian has it.
    kind: &'a str,
    triple: &'a str,
    version: &'a str,
}

fn find_compiler<'a>(
    candidates: &'a Tree,
    home: &ImagePath,
    name: &str,
    major: u32,
) -> Result<CompilerProper<'a>, TarballFault> {
    let mut other = None;
    for (path, _node) in candidates.nodes().filter(|(path, _)| path.name() == name) {
        let Some(relative) = path.below(home) else {
            continue;
        };
        if let [_lib, kind, triple, version, _name] =
            relative.split('/').collect::<Vec<_>>().as_slice()
        {
            if version.split('.').next() == Some(major.to_string().as_str()) {
                return Ok(CompilerProper {
                    path: path.clone(),
                    kind,
                    triple,
                    version,
                });
            }
            other = Some((*version).to_owned());
        }
    }
    Err(match other {
        Some(found) => TarballFault::OtherVersion {
            found,
            wanted: major,
        },
        None => TarballFault::Lacks(name.to_owned()),
    })
}

struct Selection<'a> {
    candidates: &'a Tree,
    host: Architecture,
    tree: Tree,
    needs: Needs,
}

impl Selection<'_> {
    /// A program, by whatever links, and the libraries of this archive that it loads.
    fn program(&mut self, path: &ImagePath) -> Result<(), TarballFault> {
        let mut open = vec![(path.clone(), Vec::new())];
        while let Some((path, inherited)) = open.pop() {
            let resolved = self
                .candidates
                .resolve(&path)
                .ok_or_else(|| TarballFault::Lacks(path.to_string()))?;
            let linkage = linkage_for(self.host, &path, resolved.content)?;
            let (origin, is_new) = (resolved.path.clone(), self.take(resolved.nodes()));
            if is_new {
                self.follow(&origin, linkage, inherited, &mut open);
            }
        }
        Ok(())
    }

    fn take<'n>(&mut self, nodes: impl Iterator<Item = (&'n ImagePath, &'n Node)>) -> bool {
        let mut is_new = false;
        for (path, node) in nodes {
            is_new |= self.tree.node(path).is_none();
            self.tree.insert(path.clone(), node.clone());
        }
        is_new
    }

    /// The loader looks where the program says (`DT_RUNPATH`), and for libraries of libraries where the first one said.
    fn follow(
        &mut self,
        origin: &ImagePath,
        linkage: Linkage,
        inherited: Vec<ImagePath>,
        open: &mut Vec<(ImagePath, Vec<ImagePath>)>,
    ) {
        let own = linkage.search.iter();
        let own = own.filter_map(|entry| origin.search_folder(entry));
        let folders: Vec<_> = own.chain(inherited).collect();
        for need in linkage.needs {
            let own = folders
                .iter()
                .filter_map(|folder| folder.join(&need))
                .find(|path| self.candidates.node(path).is_some());
            match own {
                Some(library) => open.push((library, folders.clone())),
                None => {
                    self.needs.insert(need);
                }
            }
        }
    }

    /// Drivers look for it as `<triple>/bin/as`; where only `bin/<triple>-as` is there, a link is added.
    fn assembler(&mut self, home: &ImagePath, triple: &str) -> Result<(), TarballFault> {
        let place = |relative: String| ImagePath::from_absolute(&format!("{home}/{relative}"));
        let expected = place(format!("{triple}/bin/as"))?;
        if self.candidates.node(&expected).is_some() {
            return self.program(&expected);
        }
        let named = place(format!("bin/{triple}-as"))?;
        if self.candidates.node(&named).is_none() {
            return Err(TarballFault::Lacks(expected.to_string()));
        }
        let target = format!("../../bin/{triple}-as");
        self.tree.insert(expected, Node::Link { target });
        self.program(&named)
    }

    /// A driver finds the assembler by way of `lib/gcc/<triple>/<version>/../../../..`, so that folder must be there.
    fn way_back(
        &mut self,
        home: &ImagePath,
        compiler: &CompilerProper<'_>,
    ) -> Result<(), TarballFault> {
        let CompilerProper {
            kind,
            triple,
            version,
            ..
        } = compiler;
        let folder = format!("{home}/lib/{kind}/{triple}/{version}");
        self.tree.insert(
            ImagePath::from_absolute(&folder)?,
            Node::Folder { mode: 0o755 },
        );
        Ok(())
    }
}

fn linkage_for(
    host: Architecture,
    path: &ImagePath,
    content: &[u8],
) -> Result<Linkage, TarballFault> {
    let linkage =
        linkage(&path.to_string(), content).map_err(|error: ElfError| TarballFault::Elf(error))?;
    if linkage.machine == Some(host) {
        Ok(linkage)
    } else {
        Err(TarballFault::OtherMachine {
            program: path.to_string(),
            host,
        })
    }
}
