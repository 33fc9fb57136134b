//! The model of the content engine's classifier: that of the installation, which `gatepost learn` and `gatepost train` make,
//! or the one that ships.
//!
//! A model that can't be used is no reason to refuse a configuration: after an upgrade the features may be others, and mail
//! has to go on. The one that ships takes its place, and the operator is told.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scan::content::classifier::Model;

/// Bytes of a model that are read: what is longer is none.
const MODEL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The name of the installation's model in `data_dir`.
const FILE_NAME: &str = "classifier.model";

/// The model in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    /// Where the installation's model is, or would be.
    pub file: PathBuf,
    /// The model.
    pub model: Arc<Model>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It ships; the installation has none of its own.
    Shipped,
    /// It is the installation's.
    Installation,
    /// It ships: that of the installation can't be used, for this reason.
    Instead(String),
}

impl Classifier {
    /// The installation's model at `file`, or the one that ships. `None` if neither can be used.
    pub fn load(file: &Path) -> Option<Classifier> {
        let (model, origin) = match read(file) {
            Ok(Some(model)) => (Arc::new(model), Origin::Installation),
            Ok(None) => (Model::shipped().ok()?, Origin::Shipped),
            Err(why) => (Model::shipped().ok()?, Origin::Instead(why)),
        };
        Some(Classifier {
            file: file.to_owned(),
            model,
            origin,
        })
    }

    /// Where the installation's model is kept if nothing else is configured.
    pub(super) fn default_file(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE_NAME)
    }

    /// Which it is, for the operator.
    pub fn name(&self) -> String {
        let file = self.file.display();
        match &self.origin {
            Origin::Shipped => "the classifier that ships".to_owned(),
            Origin::Installation => format!("the classifier {file}"),
            Origin::Instead(why) => format!("the classifier that ships, in place of {file}: {why}"),
        }
    }
}

/// The model in a file; `None` if there is no such file.
///
/// # Errors
/// Says what is wrong with the file, and what to do.
pub fn read(file: &Path) -> Result<Option<Model>, String> {
    let open = match File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    open.take(MODEL_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let model = Model::from_bytes(&bytes).map_err(|error| error.to_string())?;
    Ok(Some(model))
}
