//! Whether a store is what was committed, and what it was, signed.

use towpath_store::{Error as StoreError, SignedCheckpoint, Verification, VerificationOptions};
use tracing::debug;

use crate::error::Result;
use crate::lake::Lake;
use crate::sign_file::recording_new_keys;
use crate::store::Store;

impl Lake {
    /// Compares a store, which need not be possible to open, with all that is known of it: its
    /// commits with each other and with signed checkpoints, its files with the commits.
    ///
    /// Nothing is changed, and the store can be used meanwhile. What is wrong is in the report; an
    /// error says that it could not be looked at.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreNotFound`](crate::ErrorKind::StoreNotFound);
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the checkpoint to go on
    /// from is of another store; storage errors.
    pub async fn verify(&self, store: &str, options: &VerificationOptions) -> Result<Verification> {
        Ok(Box::pin(self.catalog().verify(store, options)).await?)
    }
}

impl Store {
    /// Signs what the store is now, with the lake's key. The result is kept in the store too.
    ///
    /// Keep it where those who can write to the lake cannot: it is what shows that a store was
    /// rolled back or made anew.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage), also if there is no key and none can be
    /// kept: in a bucket that needs [`LakeOptions::key_passphrase`](crate::LakeOptions).
    pub async fn sign_checkpoint(&self) -> Result<SignedCheckpoint> {
        let keys = self.store.signing_keys(self.options.key_passphrase.clone());
        let sign = async { Ok(self.store.sign_checkpoint(&keys, self.now()).await?) };
        Box::pin(recording_new_keys(&self.audit, &keys, sign)).await
    }

    /// Signs what the store is now if the last checkpoint is a day old, and says whether it did.
    /// A lake that can keep no key has no signed checkpoints, which is no error.
    pub(crate) async fn sign_if_due(&self) -> Result<bool> {
        let keys = self.store.signing_keys(self.options.key_passphrase.clone());
        let sign = async {
            match self.store.sign_checkpoint_if_due(&keys, self.now()).await {
                Err(
                    err @ (StoreError::SigningKey { .. } | StoreError::InvalidCheckpoint { .. }),
                ) => {
                    debug!(store = %self.id(), error = %err, "no checkpoint signed");
                    Ok(false)
                }
                signed => Ok(signed?),
            }
        };
        Box::pin(recording_new_keys(&self.audit, &keys, sign)).await
    }
}
