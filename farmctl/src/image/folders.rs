//! An image as folders, one for each layer: what a Dockerfile can copy.

use std::fs;
use std::io;
use std::path::Path;

use super::image::Image;

/// Writes each layer of `image` into a folder of its own below `folder`, which must not be there yet: `libraries`,
/// `assembler`, `gcc-14`, `headers`, `daemon`, `toolchain`, as far as the image has them.
///
/// Whoever copies them one after another gets the image's files with the image's modes; owners are the caller's.
///
/// # Errors
///
/// The folder is there already, or cannot be written.
pub fn write_folders(image: &Image, folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    for layer in image.blobs() {
        let mut archive = tar::Archive::new(layer.open()?);
        // With all their bits: `/tmp` is one that everybody may write to.
        archive.set_preserve_permissions(true);
        archive.unpack(folder.join(layer.name.replace(' ', "-")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use bytes::Bytes;

    use super::*;
    use crate::farm::Architecture;
    use crate::image::layer::Layer;
    use crate::image::package::{ImagePath, Node, Tree};

    fn layer(name: &str, path: &str, node: Node) -> Layer {
        let mut tree = Tree::default();
        tree.insert(ImagePath::from_absolute(path).unwrap(), node);
        Layer::in_memory(name, &tree).unwrap()
    }

    #[test]
    fn each_layer_has_a_folder_of_its_own() {
        let program = Node::File {
            content: Bytes::from_static(b"cc1"),
            executable: true,
        };
        let layers = vec![
            layer("libraries", "/tmp", Node::Folder { mode: 0o1777 }),
            layer("gcc 14", "/usr/bin/cc1", program),
        ];
        let name = "farmctl/armv7h:0".to_owned();
        let image = Image::new("armv7h", Architecture::Amd64, name, &[], layers).unwrap();
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("image");
        write_folders(&image, &folder).unwrap();
        let mode = |path: &str| {
            let found = fs::metadata(folder.join(path)).unwrap();
            found.permissions().mode() & 0o7777
        };
        assert_eq!(mode("libraries/tmp"), 0o1777);
        assert_eq!(mode("gcc-14/usr/bin/cc1"), 0o755);
        assert_eq!(fs::read(folder.join("gcc-14/usr/bin/cc1")).unwrap(), b"cc1");

        let again = write_folders(&image, &folder).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }
}
