//! The users of a submission listener: a file of `name:hash` lines, the hash in PHC form by argon2id.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordVerifier};
use argon2::Argon2;
use smtp::server::Credentials;

/// Bytes of the largest file of users that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A hash that no password matches, against which unknown names are tried: their answer takes as long as any other.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$3DnF0XGJDNcCYhSpkBfRZuhNKNoyPCgzsFYqWyK1mcg";

/// The users, by name.
#[derive(Debug)]
pub struct Users {
    hashes: Arc<HashMap<String, String>>,
}

impl Users {
    /// Reads the file.
    ///
    /// # Errors
    /// It can't be read, or a line is not `name:$argon2id$...`; told with the line's number.
    pub fn load(path: &Path) -> Result<Users, String> {
        let size = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
        if size > FILE_BYTES_MAX {
            return Err(format!("{}: larger than {FILE_BYTES_MAX} bytes", path.display()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut hashes = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let parsed = line.split_once(':').filter(|(name, hash)| !name.is_empty() && PasswordHash::new(hash).is_ok());
            let Some((name, hash)) = parsed else {
                return Err(format!(
                    "{}:{}: not `name:hash`; make a hash with `gatepost hash-password`",
                    path.display(),
                    number + 1
                ));
            };
            hashes.insert(name.to_owned(), hash.to_owned());
        }
        Ok(Users { hashes: Arc::new(hashes) })
    }

    /// The identity that the credentials prove. Acting for somebody else (an authorization identity that differs) is not
    /// possible.
    pub async fn verify(&self, credentials: &Credentials) -> Option<String> {
        let name = credentials.authentication_identity.clone();
        if !credentials.authorization_identity.is_empty() && credentials.authorization_identity != name {
            return None;
        }
        let known = self.hashes.get(&name).cloned();
        let exists = known.is_some();
        let (hash, password) = (known.unwrap_or_else(|| NOBODY.to_owned()), credentials.password.clone());
        let matches = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
        .unwrap_or(false);
        (exists && matches).then_some(name)
    }
}

/// The hash of a password, for the file.
///
/// # Errors
/// The system has no randomness.
pub fn hash(password: &str) -> Result<String, String> {
    use argon2::password_hash::{PasswordHasher, SaltString};
    let mut salt = [0u8; 16];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
