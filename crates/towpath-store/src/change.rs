//! Changes of a store's settings: name, retention, protection, deletion, restoring, legal holds.
//!
//! Each is one commit of the store's own log, made under the writer's lease on the newest settings,
//! so the log tells who changed what and when, and a crash leaves the old settings or the new ones.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use serde_json::{Value, json};
use tracing::info;
use uuid::Uuid;

use crate::catalog;
use crate::commit::CommitRecord;
use crate::error::{Error, Result};
use crate::hold::{self, Hold, NewHold};
use crate::names;
use crate::settings::{SettingsChange, StoreSettings, check_attributes, check_name, with_settings};
use crate::snapshot::Snapshot;
use crate::store::{EventDataStore, Prepared};
use crate::time::Retention;

impl EventDataStore {
    /// Keeps events for `retention` from now on. It acts on the next snapshot.
    ///
    /// # Errors
    ///
    /// Those of [`EventDataStore::change_settings`].
    pub async fn set_retention(
        &self,
        retention: Retention,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<()> {
        let change = SettingsChange { retention: Some(retention), ..SettingsChange::default() };
        self.change_settings(&change, now, wait_max).await
    }

    /// Changes settings, all of `change` in one commit. It acts on the next snapshot.
    ///
    /// What changes nothing makes no commit. Events that had expired do not come back when the
    /// retention becomes longer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; [`Error::StoreExists`] if another store has the new name;
    /// [`Error::InvalidAttributes`]; [`Error::StoreDeleted`]; those of [`EventDataStore::writer`]
    /// and [`Writer::commit`](crate::Writer::commit).
    pub async fn change_settings(
        &self,
        change: &SettingsChange,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<()> {
        let changed = |settings: &StoreSettings| {
            settings.check_not_deleted()?;
            let changed = settings.changed(change, now);
            check_attributes(&changed.attributes)?;
            Ok(changed)
        };
        let Some(name) = &change.name else {
            return self.change(changed, json!({}), now, wait_max).await;
        };
        check_name(name)?;
        let lease = Box::pin(catalog::acquire(self.files(), now, wait_max)).await?;
        let renamed = async {
            names::reserve(self.files(), name, self.id()).await?;
            let before = self.snapshot().await?.settings().name.clone();
            Box::pin(self.change(changed, json!({"renamedFrom": before}), now, wait_max)).await?;
            Ok(before)
        };
        let renamed = Box::pin(renamed).await;
        match &renamed {
            Ok(before) if !before.eq_ignore_ascii_case(name) => {
                // What stays behind finds nothing and keeps nobody from the name.
                names::give_back(self.files(), before, self.id()).await.unwrap_or_default();
            }
            _ => {}
        }
        lease.release().await;
        renamed.map(drop)
    }

    /// Deletes the store: nobody reads from it or writes to it any more.
    ///
    /// It can be restored for [`RESTORE_DAYS`](crate::RESTORE_DAYS) days; after that
    /// [`Catalog::remove_deleted`](crate::Catalog::remove_deleted) removes it for good. Deleting it
    /// again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::TerminationProtected`]; [`Error::OnHold`]; those of [`EventDataStore::writer`] and
    /// [`Writer::commit`](crate::Writer::commit).
    pub async fn delete(&self, now: DateTime<Utc>, wait_max: Duration) -> Result<()> {
        let changed = |settings: &StoreSettings| {
            if settings.deleted_at.is_some() {
                return Ok(settings.clone());
            }
            let store = settings.name.clone();
            if settings.termination_protection {
                return Err(Error::TerminationProtected { store });
            }
            if !settings.holds.is_empty() {
                return Err(Error::OnHold { store, holds: settings.holds.len() });
            }
            Ok(StoreSettings { deleted_at: Some(now), ..settings.clone() })
        };
        self.change(changed, json!({"deleted": time_text(now)}), now, wait_max).await
    }

    /// Takes a deletion back.
    ///
    /// # Errors
    ///
    /// [`Error::StoreNotDeleted`]; [`Error::RestoreTooLate`] when the days for it are over; those
    /// of [`EventDataStore::writer`] and [`Writer::commit`](crate::Writer::commit).
    pub async fn restore(&self, now: DateTime<Utc>, wait_max: Duration) -> Result<()> {
        let changed = |settings: &StoreSettings| {
            let store = settings.name.clone();
            match settings.restorable_until() {
                None => Err(Error::StoreNotDeleted { store }),
                Some(restorable_until) if now >= restorable_until => {
                    Err(Error::RestoreTooLate { store, restorable_until })
                }
                Some(_) => Ok(StoreSettings { deleted_at: None, ..settings.clone() }),
            }
        };
        self.change(changed, json!({"restored": time_text(now)}), now, wait_max).await
    }

    /// Places a legal hold, also on a deleted store, which then is not removed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidHold`]; those of [`EventDataStore::writer`] and
    /// [`Writer::commit`](crate::Writer::commit).
    pub async fn place_hold(
        &self,
        new: NewHold,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<Hold> {
        hold::check_new(&new, 0)?;
        let kept_from = self.snapshot().await?.cutoff(now);
        let placed = Hold::place(new.clone(), kept_from, now);
        let changed = |settings: &StoreSettings| {
            let mut changed = settings.clone();
            hold::check_new(&new, changed.holds.len())?;
            changed.holds.push(placed.clone());
            Ok(changed)
        };
        let note = json!({"holdPlaced": placed.id, "by": placed.placed_by});
        self.change(changed, note, now, wait_max).await?;
        Ok(placed)
    }

    /// Releases a legal hold. `released_by` is recorded in the log. Events that only the hold kept
    /// have expired then.
    ///
    /// # Errors
    ///
    /// [`Error::HoldNotFound`]; those of [`EventDataStore::writer`] and
    /// [`Writer::commit`](crate::Writer::commit).
    pub async fn release_hold(
        &self,
        id: Uuid,
        released_by: &str,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<()> {
        let changed = |settings: &StoreSettings| {
            let mut changed = settings.clone();
            changed.holds.retain(|hold| hold.id != id);
            if changed.holds.len() == settings.holds.len() {
                return Err(Error::HoldNotFound { store: settings.name.clone(), hold: id });
            }
            Ok(changed)
        };
        let note = json!({"holdReleased": id, "by": released_by});
        self.change(changed, note, now, wait_max).await
    }

    /// Commits what `changed` makes of the newest settings, with a note of what was done.
    async fn change(
        &self,
        changed: impl Fn(&StoreSettings) -> Result<StoreSettings> + Send + Sync,
        note: Value,
        now: DateTime<Utc>,
        wait_max: Duration,
    ) -> Result<()> {
        let held = self.acquire(now, wait_max).await?;
        let done = Box::pin(self.change_leased(changed, &note, now)).await;
        held.lease.release().await;
        done
    }

    async fn change_leased(
        &self,
        changed: impl Fn(&StoreSettings) -> Result<StoreSettings> + Send + Sync,
        note: &Value,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if names::is_removed(self.files(), self.id()).await? {
            return Err(Error::StoreNotFound { name: self.name(), near: None });
        }
        let prepare = |snapshot: &Snapshot| {
            let settings = changed(snapshot.settings())?;
            if settings == *snapshot.settings() {
                return Ok(None);
            }
            let settings = StoreSettings { updated_at: now, ..settings };
            let metadata = with_settings(snapshot.metadata(), &settings)?;
            let operation = DeltaOperation::SetTableProperties {
                properties: metadata.configuration().clone().into_iter().collect(),
            };
            Ok(Some(Prepared {
                record: CommitRecord { note: Some(note.clone()), ..CommitRecord::new() },
                actions: vec![Action::Metadata(metadata)],
                operation,
            }))
        };
        if let Some(version) = self.commit_on_newest(prepare, now).await? {
            info!(store = %self.id(), version, "settings changed");
            self.snapshot().await?;
        }
        Ok(())
    }
}

fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
