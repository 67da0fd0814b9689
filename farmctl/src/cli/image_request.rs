//! What an image must hold, as the manifest and the target's file say.

use volunteer_toolchain::{Compiler, Toolchain};

use super::{Exit, Failure};
use crate::farm::{Architecture, GccMajor, GccSource, NotOnHost, Origin, Volunteer};
use crate::image::{ArchiveSource, CompilerSource, Error, ImageRequest};

/// The image of `volunteer` for a host of one kind.
pub(super) fn image_request(
    volunteer: &Volunteer,
    host: Architecture,
) -> Result<ImageRequest, Failure> {
    let target = &volunteer.target;
    let versions = volunteer
        .gcc
        .iter()
        .map(|major| Ok((*major, target.gcc_on(host, *major)?)))
        .collect::<Result<Vec<_>, NotOnHost>>()
        .map_err(|error| {
            let hint = error.hint();
            Failure::new(Exit::Failed, error, Some(hint))
        })?;
    Ok(ImageRequest {
        architecture: host,
        toolchain: Toolchain {
            target: target.name.to_string(),
            triples: target.triples.clone(),
            object: target.object.clone(),
            defaults: target.defaults.clone(),
            compilers: versions.iter().map(compiler).collect(),
            headers: volunteer.headers,
        },
        sources: versions
            .iter()
            .map(|version| compiler_source(version, volunteer.headers))
            .collect::<Result<_, _>>()?,
    })
}

fn compiler((major, source): &(GccMajor, &GccSource)) -> Compiler {
    Compiler {
        major: major.number(),
        gcc: source.gcc_path.clone(),
        gxx: source.gxx_path.clone(),
    }
}

fn compiler_source(
    (major, source): &(GccMajor, &GccSource),
    with_headers: bool,
) -> Result<CompilerSource, Error> {
    let major = major.number();
    Ok(match &source.origin {
        Origin::Packages(packages) => CompilerSource {
            major,
            suite: packages.suite.as_str().to_owned(),
            packages: packages.packages.clone(),
            leave_out: packages.leave_out.clone(),
            headers: if with_headers {
                packages.headers.clone()
            } else {
                Vec::new()
            },
            archive: None,
        },
        Origin::Archive(archive) => CompilerSource {
            major,
            suite: archive.suite.as_str().to_owned(),
            packages: archive.libraries.clone(),
            leave_out: archive.leave_out.clone(),
            headers: Vec::new(),
            archive: Some(ArchiveSource::new(
                &archive.url,
                &archive.sha256,
                &archive.directory,
                &archive.installed,
            )?),
        },
    })
}
