//! A suite's signed `InRelease` file: what the suite is, until when its index holds, and the digests of its files.

use std::time::{Duration, SystemTime};

use deb822_fast::borrowed::{BorrowedParagraph, iter_paragraphs_borrowed};
use pgp::composed::CleartextSignedMessage;

use super::keyring::Keyring;
use crate::image::digest::Sha256;

/// Clocks of mirrors and machines may differ by so much.
const CLOCK_TOLERANCE: Duration = Duration::from_hours(24);

/// What to do with an index whose `Valid-Until` has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Refuse it: somebody may be holding back newer packages.
    Refuse,
    /// Use it: the mirror is known to be frozen.
    Allow,
}

/// A suite, as its verified `InRelease` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    suite: String,
    by_hash: bool,
    /// Digest, size, path below the suite's folder.
    files: Vec<(Sha256, u64, String)>,
}

/// A file that a suite's `InRelease` lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Below the suite's folder.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
}

impl Release {
    /// Verifies the text of an `InRelease` file that was asked for as `suite`.
    pub(super) fn verify(
        text: &str,
        suite: &str,
        keyring: &Keyring,
        expiry: Expiry,
        now: SystemTime,
    ) -> Result<Self, ReleaseError> {
        let suite = suite.to_owned();
        let message = match CleartextSignedMessage::from_string(text) {
            Ok((message, _headers)) => message,
            Err(source) => {
                return Err(ReleaseError::Unsigned {
                    suite,
                    reason: source.to_string(),
                });
            }
        };
        if !keyring.has_signed(&message, now) {
            let signers = Keyring::claimed_signers(&message);
            return Err(ReleaseError::BadSignature {
                suite,
                signers: signers.join(", "),
            });
        }
        // Only what was signed is read: what stands around it in the file is anybody's.
        let signed = message.signed_text().replace("\r\n", "\n");
        let malformed = |what: &str| ReleaseError::Malformed {
            suite: suite.clone(),
            what: what.to_owned(),
        };
        let fields = iter_paragraphs_borrowed(&signed)
            .next()
            .and_then(Result::ok)
            .ok_or_else(|| malformed("it holds no fields"))?;
        check_name(&fields, &suite)?;
        check_dates(&fields, &suite, expiry, now)?;
        Ok(Self {
            by_hash: fields.get_single("Acquire-By-Hash") == Some("yes"),
            files: files(&fields).ok_or_else(|| malformed("its SHA256 list cannot be read"))?,
            suite,
        })
    }

    /// The file at `path` below the suite's folder, such as an index.
    pub(super) fn listed(&self, path: &str) -> Result<Listed, ReleaseError> {
        let Some((sha256, bytes, _path)) = self.files.iter().find(|(.., listed)| listed == path)
        else {
            return Err(ReleaseError::NoIndex {
                suite: self.suite.clone(),
                path: path.to_owned(),
            });
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _name)| folder);
        let path = if self.by_hash {
            format!("{folder}/by-hash/SHA256/{sha256}")
        } else {
            path.to_owned()
        };
        Ok(Listed {
            path,
            bytes: *bytes,
            sha256: *sha256,
        })
    }
}

/// A mirror must not pass off one suite as another.
fn check_name(fields: &BorrowedParagraph<'_>, suite: &str) -> Result<(), ReleaseError> {
    let names = [fields.get_single("Suite"), fields.get_single("Codename")];
    if names.contains(&Some(suite)) {
        return Ok(());
    }
    let actual = names
        .into_iter()
        .flatten()
        .next()
        .unwrap_or("nameless")
        .to_owned();
    Err(ReleaseError::OtherSuite {
        suite: suite.to_owned(),
        actual,
    })
}

fn check_dates(
    fields: &BorrowedParagraph<'_>,
    suite: &str,
    expiry: Expiry,
    now: SystemTime,
) -> Result<(), ReleaseError> {
    let suite = suite.to_owned();
    let date = |name: &str| match fields.get_single(name) {
        Some(text) => match parse_date(text) {
            Some(date) => Ok(Some((date, text.to_owned()))),
            None => Err(ReleaseError::Malformed {
                suite: suite.clone(),
                what: format!("its {name} is '{text}'"),
            }),
        },
        None => Ok(None),
    };
    if let Some((from, date)) = date("Date")?
        && from > now + CLOCK_TOLERANCE
    {
        return Err(ReleaseError::FromTheFuture { suite, date });
    }
    match date("Valid-Until")? {
        Some((until, date)) if until < now && expiry == Expiry::Refuse => {
            Err(ReleaseError::Expired { suite, date })
        }
        _ => Ok(()),
    }
}

/// Dates are as in mail (`Sat, 12 Sep 2026 07:55:41 UTC`); HTTP's only differ in the name of the zone.
fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(&text.replace("UTC", "GMT")).ok()
}

/// Lines of digest, size and path.
fn files(fields: &BorrowedParagraph<'_>) -> Option<Vec<(Sha256, u64, String)>> {
    let parse = |line: &&str| {
        let mut words = line.split_whitespace();
        let (sha256, bytes, path) = (words.next()?, words.next()?, words.next()?);
        Some((sha256.parse().ok()?, bytes.parse().ok()?, path.to_owned()))
    };
    fields
        .get("SHA256")?
        .iter()
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect()
}

/// Why a suite's index is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// The mirror does not have it.
    #[error("the mirror has no suite {suite} ({url})")]
    NoSuite {
        /// The suite asked for.
        suite: String,
        /// Where it should be.
        url: String,
    },
    /// No cleartext signature around it.
    #[error("the index of suite {suite} is not signed: {reason}")]
    Unsigned {
        /// The suite asked for.
        suite: String,
        /// What the parser says.
        reason: String,
    },
    /// No signature by a key of the keyring, or a wrong one.
    #[error(
        "bad signature: the index of suite {suite} is not signed by a trusted key (it names {signers})"
    )]
    BadSignature {
        /// The suite asked for.
        suite: String,
        /// Fingerprints of the keys it claims to be signed by.
        signers: String,
    },
    /// `Valid-Until` has passed.
    #[error("the index of suite {suite} expired on {date}")]
    Expired {
        /// The suite asked for.
        suite: String,
        /// Until when it was valid.
        date: String,
    },
    /// `Date` is far ahead of this machine's clock.
    #[error("the index of suite {suite} is from the future: {date}")]
    FromTheFuture {
        /// The suite asked for.
        suite: String,
        /// When it was made.
        date: String,
    },
    /// The file describes another suite.
    #[error("the mirror serves suite {actual} as {suite}")]
    OtherSuite {
        /// The suite asked for.
        suite: String,
        /// The suite it is.
        actual: String,
    },
    /// The suite does not list an index.
    #[error("suite {suite} has no {path}")]
    NoIndex {
        /// The suite asked for.
        suite: String,
        /// The missing file.
        path: String,
    },
    /// Signed, and yet unreadable.
    #[error("the index of suite {suite} is malformed: {what}")]
    Malformed {
        /// The suite asked for.
        suite: String,
        /// What is wrong with it.
        what: String,
    },
}

impl ReleaseError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Expired { .. } => {
                "the mirror may be frozen or out of date: name another mirror, \
                 or use --allow-expired if its age is known and fine"
                    .to_owned()
            }
            Self::FromTheFuture { .. } => "set this machine's clock".to_owned(),
            Self::Unsigned { .. } => {
                "a proxy or a login page may have answered instead of the mirror".to_owned()
            }
            Self::BadSignature { .. } => {
                "for an archive that is not Debian's, name its keys with FARMCTL_KEYRING".to_owned()
            }
            Self::NoSuite { .. }
            | Self::OtherSuite { .. }
            | Self::NoIndex { .. }
            | Self::Malformed { .. } => {
                "name another mirror with `mirror:` or FARMCTL_MIRROR".to_owned()
            }
        })
    }
}
