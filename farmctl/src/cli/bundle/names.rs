//! What a bundle's images must be called: what its lock, its manifest and its program come to.

use std::collections::BTreeSet;
use std::io;

use super::place;
use crate::bundle::{Bundle, LOCK, MANIFEST};
use crate::cli::image_request::image_request;
use crate::cli::{Exit, Failure};
use crate::farm::{self, Architecture, Farm, Volunteer};
use crate::image::{self, Error, Lock, Program};
use crate::manifest;

/// Every image must be named as the lock, the manifest and the program of the bundle say. Gives the farm that these
/// describe.
pub(super) fn check_names(bundle: &Bundle) -> Result<Farm, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::new(Exit::Failed, error, None))?;
    let mut lock = Lock::default();
    for entry in &bundle.index.files {
        let text = bundle.text(entry)?;
        if entry.path == LOCK {
            lock = text.parse().map_err(Error::from)?;
        } else {
            place::write(&folder.path().join(&entry.path), 0o600, |file| {
                io::Write::write_all(file, text.as_bytes())
            })?;
        }
    }
    let farm = manifest::load(&folder.path().join(MANIFEST))?;
    let names = names(&farm, &lock, bundle)?;
    let stranger = bundle.index.images.iter();
    let mut stranger = stranger.filter(|image| !names.contains(&image.reference));
    if let Some(image) = stranger.next() {
        let what = format!(
            "{} is not what its lock and its manifest come to",
            image.reference
        );
        return Err(contradiction(&what));
    }
    if farm.name.as_str() != bundle.index.farm {
        let what = format!(
            "its manifest is of farm {}, not {}",
            farm.name, bundle.index.farm
        );
        return Err(contradiction(&what));
    }
    Ok(farm)
}

fn contradiction(what: &str) -> Failure {
    let error = anyhow::anyhow!("the bundle contradicts itself: {what}");
    let hint = "let the farmctl that is in it load it, or save it again";
    Failure::new(Exit::Failed, error, Some(hint.to_owned()))
}

/// What a farm's images are called on hosts of the kinds that the bundle has programs for.
pub(super) fn names(
    farm: &Farm,
    lock: &Lock,
    bundle: &Bundle,
) -> Result<BTreeSet<String>, Failure> {
    let volunteers = farm.hosts.iter().flat_map(|host| &host.volunteers);
    let assembled =
        volunteers.filter(|volunteer| !matches!(volunteer.image, farm::ImageSource::Pull(_)));
    let mut all = BTreeSet::new();
    for volunteer in assembled {
        let mut failed = None;
        let mut names = Vec::new();
        for host in Architecture::ALL {
            let Some(program) = bundle.named_program(host) else {
                continue;
            };
            match name(volunteer, host, lock, &program) {
                Ok(name) => names.push(name),
                Err(failure) => failed = Some(failure),
            }
        }
        // A target may be for one kind of hosts only.
        match failed {
            Some(failure) if names.is_empty() => return Err(failure),
            _ => all.extend(names),
        }
    }
    Ok(all)
}

fn name(
    volunteer: &Volunteer,
    host: Architecture,
    lock: &Lock,
    program: &Program,
) -> Result<String, Failure> {
    let request = image_request(volunteer, host)?;
    Ok(image::reference(&request, lock, program)?)
}
