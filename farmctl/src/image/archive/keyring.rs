//! Whose signatures count.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey};
use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType};
use pgp::types::{KeyDetails, Tag, Timestamp};

/// The keys that sign Debian's stable and testing suites: the archive's automatic keys and the release key.
/// They are the files of Debian's `debian-archive-keyring` package.
const DEBIAN: [&[u8]; 3] = [
    include_bytes!("../keyring/debian-archive-bookworm-automatic.gpg"),
    include_bytes!("../keyring/debian-archive-trixie-automatic.gpg"),
    include_bytes!("../keyring/debian-archive-trixie-stable.gpg"),
];

/// A set of trusted keys.
#[derive(Debug, Clone)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

impl Keyring {
    /// The keys of Debian's archive.
    pub fn debian() -> Self {
        let keys = DEBIAN
            .into_iter()
            .flat_map(|bytes| {
                SignedPublicKey::from_bytes_many(bytes).expect("the built-in keys are packets")
            })
            .map(|key| key.expect("the built-in keys are keys"))
            .collect();
        Self { keys }
    }

    /// Reads a keyring file, binary or armoured.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds something else or nothing.
    pub fn read(path: &Path) -> Result<Self, KeyringError> {
        let file = File::open(path).map_err(|source| KeyringError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let broken = |source: pgp::errors::Error| KeyringError::NoKeyring {
            path: path.to_owned(),
            reason: source.to_string(),
        };
        let (keys, _armour) =
            SignedPublicKey::from_reader_many(BufReader::new(file)).map_err(broken)?;
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(broken)?;
        if keys.is_empty() {
            return Err(KeyringError::NoKeyring {
                path: path.to_owned(),
                reason: "it holds no key".to_owned(),
            });
        }
        Ok(Self { keys })
    }

    /// Whether one of the signatures of `message` is good and by one of these keys, which must be valid at `now`.
    pub(super) fn has_signed(&self, message: &CleartextSignedMessage, now: SystemTime) -> bool {
        let text = message.signed_text();
        let signers: Vec<_> = self.keys.iter().flat_map(|key| signers(key, now)).collect();
        message
            .signatures()
            .iter()
            .filter(|signature| is_current(signature, now))
            .any(|signature| signers.iter().any(|signer| signer.made(signature, &text)))
    }

    /// The fingerprints and key ids that the signatures of `message` claim, for error messages.
    pub(super) fn claimed_signers(message: &CleartextSignedMessage) -> Vec<String> {
        message
            .signatures()
            .iter()
            .flat_map(|signature| signature.issuer_fingerprint())
            .map(|fingerprint| fingerprint.to_string().to_uppercase())
            .collect()
    }
}

/// A key whose signatures count.
enum Signer<'a> {
    Primary(&'a PublicKey),
    Subkey(&'a PublicSubkey),
}

impl Signer<'_> {
    fn made(&self, signature: &Signature, text: &str) -> bool {
        match self {
            Self::Primary(key) => signature.verify(key, text.as_bytes()).is_ok(),
            Self::Subkey(key) => signature.verify(key, text.as_bytes()).is_ok(),
        }
    }
}

/// The primary key and the subkeys of a certificate that may sign at `now`.
fn signers(certificate: &SignedPublicKey, now: SystemTime) -> Vec<Signer<'_>> {
    let primary = &certificate.primary_key;
    let own = self_signatures(certificate);
    if is_revoked(certificate) || is_expired(primary, &own, now) {
        return vec![];
    }
    let mut signers = Vec::new();
    if may_sign(&own) {
        signers.push(Signer::Primary(primary));
    }
    for subkey in &certificate.public_subkeys {
        let bindings: Vec<_> = subkey.signatures.iter().collect();
        let bound = subkey.verify_bindings(primary).is_ok()
            && bindings
                .iter()
                .all(|binding| binding.typ() == Some(SignatureType::SubkeyBinding));
        if bound && may_sign(&bindings) && !is_expired(&subkey.key, &bindings, now) {
            signers.push(Signer::Subkey(&subkey.key));
        }
    }
    signers
}

/// What a certificate says about itself. Others may have added their word: it does not count.
fn self_signatures(certificate: &SignedPublicKey) -> Vec<&Signature> {
    let primary = &certificate.primary_key;
    let direct = certificate.details.direct_signatures.iter();
    let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
    let certifications = certificate.details.users.iter().flat_map(|user| {
        let own = |signature: &&Signature| {
            signature.is_certification()
                && signature
                    .verify_certification(primary, Tag::UserId, &user.id)
                    .is_ok()
        };
        user.signatures.iter().filter(own)
    });
    direct.chain(certifications).collect()
}

fn is_revoked(certificate: &SignedPublicKey) -> bool {
    let mut revocations = certificate.details.revocation_signatures.iter();
    revocations.any(|signature| signature.verify_key(&certificate.primary_key).is_ok())
}

/// The newest self-signature decides (RFC 9580, 5.2.3.13).
fn is_expired(key: &impl KeyDetails, self_signatures: &[&Signature], now: SystemTime) -> bool {
    let lifetime = newest(self_signatures).and_then(Signature::key_expiration_time);
    lifetime.is_some_and(|lifetime| SystemTime::from(key.created_at()) + lifetime.into() <= now)
}

/// Key flags of the newest self-signature (RFC 9580, 5.2.3.29).
fn may_sign(self_signatures: &[&Signature]) -> bool {
    newest(self_signatures).is_some_and(|signature| signature.key_flags().sign())
}

fn newest<'a>(signatures: &[&'a Signature]) -> Option<&'a Signature> {
    signatures
        .iter()
        .copied()
        .max_by_key(|signature| signature.created())
}

/// Signatures may expire by themselves (RFC 9580, 5.2.3.18).
fn is_current(signature: &Signature, now: SystemTime) -> bool {
    let created: Option<SystemTime> = signature.created().map(Timestamp::into);
    match (created, signature.signature_expiration_time()) {
        (Some(created), Some(lifetime)) => now < created + lifetime.into(),
        _ => true,
    }
}

/// Why a keyring file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file cannot be read.
    #[error("cannot read keyring {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no public keys.
    #[error("{} is no keyring: {reason}", path.display())]
    NoKeyring {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl KeyringError {
    /// What to write instead.
    pub fn hint(&self) -> Option<String> {
        Some("name a file of OpenPGP public keys, binary or armoured".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_key_can_sign() {
        let keyring = Keyring::debian();
        assert_eq!(keyring.keys.len(), DEBIAN.len());
        for key in &keyring.keys {
            let created = key.primary_key.created_at().into();
            assert!(!signers(key, created).is_empty(), "{key:?}");
        }
    }

    #[test]
    fn an_expired_key_cannot_sign() {
        let eleven_years = std::time::Duration::from_hours(11 * 365 * 24);
        for key in &Keyring::debian().keys {
            let created: SystemTime = key.primary_key.created_at().into();
            assert!(signers(key, created + eleven_years).is_empty());
        }
    }

    #[test]
    fn reads_a_keyring_file_and_refuses_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good.gpg");
        std::fs::write(&good, DEBIAN[2]).unwrap();
        assert_eq!(Keyring::read(&good).unwrap().keys.len(), 1);

        let bad = folder.path().join("bad.gpg");
        for content in [&b""[..], b"not a keyring\n", &DEBIAN[2][..100]] {
            std::fs::write(&bad, content).unwrap();
            assert!(
                matches!(Keyring::read(&bad), Err(KeyringError::NoKeyring { .. })),
                "{content:?}"
            );
        }
        assert!(matches!(
            Keyring::read(Path::new("/nonexistent")),
            Err(KeyringError::Unreadable { .. })
        ));
    }
}
