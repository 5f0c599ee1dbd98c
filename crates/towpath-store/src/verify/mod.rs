//! Verification: whether a store is what was committed, and nothing else.
//!
//! The commits are read from the first on, and each is compared with what the later ones say of it
//! (see `chain`), with what was signed, and with what it says itself. What they come to is compared
//! with what a reader of the table is told, and every file of the store with its size and SHA-256.
//!
//! What it cannot see without a checkpoint that is kept elsewhere: that the newest commits were
//! taken away together with the files they added, or that somebody with the storage and the signing
//! key made all of it anew.

mod files;
mod replay;
mod report;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use object_store::ObjectMeta;
use object_store::path::Path;
use tokio::task;
use uuid::Uuid;

pub(crate) use self::files::sha256_of;
pub use self::report::{Finding, FindingKind, RedactionSummary, Verification};

use self::files::{Expected, chain, compare};
use self::walk::{Claim, Walk, commit_path};
use crate::catalog::Catalog;
use crate::commit::CommittedFile;
use crate::data_file::sha256_hex;
use crate::error::{Error, Result};
use crate::expire::UNCOMMITTED_AGE_MIN;
use crate::lake_files::LakeFiles;
use crate::layout::{self, SAVED_SNAPSHOT};
use crate::names;
use crate::saved_commits::BLOCK_COMMITS;
use crate::saved_snapshot;
use crate::signed_checkpoint::{FileList, SignedCheckpoint};
use crate::signing_key::{PublicKey, SigningKeys};
use crate::sources::CommitSummary;
use crate::store::EventDataStore;

/// Commits read at the same time. Each may be some megabytes.
const COMMITS_IN_FLIGHT_MAX: usize = 16;

/// Signed checkpoints of the store's own that are compared, at most, the newest ones: one a day
/// makes 3,653 in ten years.
const OWN_CHECKPOINTS_MAX: usize = 10_000;

/// How a store is verified.
#[derive(Clone, Debug)]
pub struct VerificationOptions {
    /// The verifier's clock.
    pub now: DateTime<Utc>,
    /// Read only so many of a hundred data files, chosen anew each time by `now`. `None`: all.
    /// All commits are read, and all files must be there with their size.
    pub sample_percent: Option<f64>,
    /// Go on from this checkpoint, after an earlier verification: commits up to its version are not
    /// read again, data files that it covers must only be there with their size, and data files
    /// that no commit names are not looked for.
    pub since: Option<SignedCheckpoint>,
    /// Checkpoints that were kept elsewhere, and what they are called in the report.
    pub anchors: Vec<(String, SignedCheckpoint)>,
}

impl VerificationOptions {
    /// Everything, against nothing that was kept elsewhere.
    #[must_use]
    pub fn all(now: DateTime<Utc>) -> VerificationOptions {
        VerificationOptions { now, sample_percent: None, since: None, anchors: Vec::new() }
    }
}

impl Catalog {
    /// Compares a store, which need not be possible to open, with all that is known of it.
    ///
    /// Nothing is changed. What is wrong is in the report; appends, compactions and expiry may go
    /// on meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::StoreNotFound`]; [`Error::InvalidCheckpoint`] if the one to go on from is of another
    /// store; errors of the storage that are not about one file of the store.
    pub async fn verify(&self, store: &str, options: &VerificationOptions) -> Result<Verification> {
        let id = self.resolve(store).await?;
        if names::is_removed(self.files(), id).await? {
            return Err(self.not_found(store).await);
        }
        let mut report = Verification::new(id, options.now);
        let run = Run { files: self.files(), id, options, keys: self.signing_keys(None) };
        // What a reader sees first: a file that is named later may not be in the listing.
        let opened = opened(self.files().clone(), id).await;
        let listing = run.listing().await?;
        if listing.is_empty() {
            return Err(self.not_found(store).await);
        }
        Box::pin(run.verify(&opened, &listing, &mut report)).await?;
        report.findings.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
        Ok(report)
    }
}

/// The store as a reader opens it.
async fn opened(files: LakeFiles, id: Uuid) -> Result<Option<EventDataStore>> {
    // In a task of its own: some damage of a checkpoint of Delta's makes its decoder panic.
    let opening =
        task::spawn(async move { Box::pin(EventDataStore::open_by_log(&files, id)).await });
    opening.await.unwrap_or_else(|err| {
        let (path, reason) = (layout::log_folder(id), format!("it cannot be decoded: {err}"));
        Err(Error::Damaged { path, reason })
    })
}

/// One verification.
struct Run<'a> {
    files: &'a LakeFiles,
    id: Uuid,
    options: &'a VerificationOptions,
    keys: SigningKeys,
}

/// Every file of the store, by path from its root.
type Listing = HashMap<String, ObjectMeta>;

impl Run<'_> {
    async fn listing(&self) -> Result<Listing> {
        let root = layout::store(self.id);
        let found = self.files.list_below(&root).await?;
        let within = |file: ObjectMeta| {
            let within: Path = file.location.prefix_match(&root)?.collect();
            Some((within.to_string(), file))
        };
        Ok(found.into_iter().filter_map(within).collect())
    }

    async fn verify(
        &self,
        opened: &Result<Option<EventDataStore>>,
        listing: &Listing,
        report: &mut Verification,
    ) -> Result<()> {
        let claims = self.claims(listing, report).await?;
        let versions: BTreeSet<u64> = listing
            .keys()
            .filter_map(|path| layout::commit_version(path.strip_prefix("_delta_log/")?))
            .collect();
        let seen = match opened {
            Ok(Some(store)) => Some(store.latest().version()),
            Ok(None) => None,
            Err(err) => {
                report.find(FindingKind::StateDiffers, "_delta_log", chain(err));
                None
            }
        };
        // Commits that follow what a reader saw came meanwhile; their files may not be listed.
        let later = |seen: u64| versions.range(seen.saturating_add(1)..).copied();
        let is_all = |seen: &u64| later(*seen).zip(*seen + 1..).all(|(found, next)| found == next);
        let listed = versions.last().copied();
        let Some(last) = seen.filter(is_all).or(listed.max(seen)) else {
            report.find(FindingKind::CommitMissing, &commit_path(0), "there are no commits");
            return Ok(());
        };
        let store = opened.as_ref().ok().and_then(Option::as_ref);
        self.compare_saved(store, report).await;
        let mut walk = Walk::new(report, listing, claims, self.options.now);
        self.walk(&mut walk, store, last).await?;
        self.late_claims(&mut walk, last).await?;
        let expected = self.expected(&mut walk);
        let unnamed = walk.unnamed(listed.unwrap_or(last));
        compare(self.files, expected, report).await;
        self.judge_unnamed(unnamed, report);
        Ok(())
    }

    /// The checkpoints to compare with, by version: the store's own and those kept elsewhere.
    async fn claims(
        &self,
        listing: &Listing,
        report: &mut Verification,
    ) -> Result<BTreeMap<u64, Vec<Claim>>> {
        let mut claims: BTreeMap<u64, Vec<Claim>> = BTreeMap::new();
        let mut own: Vec<(u64, &String)> = listing
            .keys()
            .filter_map(|path| {
                Some((layout::commit_version(path.strip_prefix("_towpath/signed/")?)?, path))
            })
            .collect();
        own.sort_unstable();
        let older = own.len().saturating_sub(OWN_CHECKPOINTS_MAX);
        for (version, path) in own.into_iter().skip(older) {
            let Some(text) = self.files.read(&layout::signed(self.id, version)).await? else {
                continue;
            };
            match SignedCheckpoint::from_json(&text) {
                Ok(signed) if signed.content().version == version && text.ends_with(b"}\n") => {
                    self.claim(path, &signed, &mut claims, report).await;
                }
                Ok(_) => {
                    let detail = "it is not the checkpoint that its name says";
                    report.find(FindingKind::SignatureInvalid, path, detail);
                }
                Err(err) => report.find(FindingKind::SignatureInvalid, path, err.to_string()),
            }
        }
        for (name, signed) in &self.options.anchors {
            self.claim(name, signed, &mut claims, report).await;
        }
        if let Some(since) = &self.options.since {
            let (found, expected) = (since.content().store_id, self.id);
            if found != expected {
                let reason = format!("it is of event data store {found}");
                return Err(Error::InvalidCheckpoint { reason });
            }
            self.claim("the checkpoint to go on from", since, &mut claims, report).await;
        }
        Ok(claims)
    }

    /// Takes a checkpoint as one to compare with, if its signature holds.
    async fn claim(
        &self,
        path: &str,
        signed: &SignedCheckpoint,
        claims: &mut BTreeMap<u64, Vec<Claim>>,
        report: &mut Verification,
    ) {
        if let Err(detail) = self.check_signature(signed).await {
            report.find(FindingKind::SignatureInvalid, path, detail);
            return;
        }
        let content = signed.content().clone();
        if content.store_id != self.id {
            let detail = format!("it is of event data store {}", content.store_id);
            report.find(FindingKind::RolledBack, path, detail);
            return;
        }
        let claim = Claim { path: path.to_owned(), content };
        claims.entry(claim.content.version).or_default().push(claim);
    }

    async fn check_signature(&self, signed: &SignedCheckpoint) -> Result<(), String> {
        let key = signed.public_key().map_err(|err| err.to_string())?;
        if !signed.is_signed_by(&key) {
            return Err("its signature is not right".to_owned());
        }
        let at = signed.content().signed_at;
        match self.keys.public_key(&key.fingerprint).await {
            Ok(Some(PublicKey { der, .. })) if der != key.der => {
                Err("the lake's key of its fingerprint is another".to_owned())
            }
            Ok(Some(known)) if !known.is_valid_between(at, at) => {
                Err("the key was not valid when it was signed".to_owned())
            }
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(format!("the lake has no public key `{}`", key.fingerprint)),
            Err(err) => Err(chain(&err)),
        }
    }

    /// Walks along the chain and compares what it comes to with what a reader is told.
    async fn walk(
        &self,
        walk: &mut Walk<'_>,
        store: Option<&EventDataStore>,
        last: u64,
    ) -> Result<()> {
        let mut first = 0;
        if let Some(since) = &self.options.since {
            let content = since.content();
            walk.report.since = Some(content.version);
            walk.begin_after(&content.commit_sha256);
            first = content.version.saturating_add(1);
            walk.report.version = content.version;
            walk.report.commit_sha256.clone_from(&content.commit_sha256);
            self.old_claims(walk, first).await?;
        }
        let seen = store.map(|store| store.latest().version());
        if seen.is_some_and(|seen| seen < first) {
            self.compare_state(walk, store);
        }
        let reads = (first <= last).then_some(first..=last).into_iter().flatten().map(|version| {
            let path = layout::commit(self.id, version);
            async move { (version, self.files.read(&path).await) }
        });
        let mut reads = stream::iter(reads).buffered(COMMITS_IN_FLIGHT_MAX);
        let mut block: Vec<CommitSummary> = Vec::new();
        while let Some((version, text)) = reads.next().await {
            let done = walk.step(version, text?.as_deref());
            if seen == Some(version) {
                self.compare_state(walk, store);
            }
            let start = version / BLOCK_COMMITS * BLOCK_COMMITS;
            let path = format!("_towpath/commits/{start:020}.json.gz");
            if walk.listing.contains_key(&path) {
                block.extend(done);
            }
            if version == start + BLOCK_COMMITS - 1
                && let Some(store) = store
            {
                compare_block(walk, store, start, &path, &block).await;
                block.clear();
            }
        }
        Ok(())
    }

    /// Compares the commits before `first`, which are not walked, with what was signed of them.
    async fn old_claims(&self, walk: &mut Walk<'_>, first: u64) -> Result<()> {
        let later = walk.claims.split_off(&first);
        let old = mem::replace(&mut walk.claims, later);
        let not_signed = |version| format!("commit {version} is not the one that was signed");
        self.compare_claims(walk, old, not_signed).await
    }

    /// What was signed of versions that were not there when the files were listed.
    async fn late_claims(&self, walk: &mut Walk<'_>, last: u64) -> Result<()> {
        let late = mem::take(&mut walk.claims);
        let gone =
            |version| format!("version {version} was signed, and the store is at version {last}");
        self.compare_claims(walk, late, gone).await
    }

    /// Compares what was signed of versions with their commits as they are now; `detail` says of a
    /// version what is wrong with one that differs.
    async fn compare_claims(
        &self,
        walk: &mut Walk<'_>,
        claims: BTreeMap<u64, Vec<Claim>>,
        detail: impl Fn(u64) -> String,
    ) -> Result<()> {
        for (version, claims) in claims {
            let text = self.files.read(&layout::commit(self.id, version)).await?;
            let found = text.map(|text| sha256_hex(&text));
            for Claim { path, content } in claims {
                if found.as_ref() == Some(&content.commit_sha256) {
                    walk.report.signed_checkpoints += 1;
                } else {
                    walk.report.find(FindingKind::RolledBack, &path, detail(version));
                }
            }
        }
        Ok(())
    }

    /// Compares what the commits so far come to with what a reader of the table is told.
    fn compare_state(&self, walk: &mut Walk<'_>, store: Option<&EventDataStore>) {
        let Some(store) = store else { return };
        let snapshot = store.latest();
        let files = snapshot.data_files().iter();
        let told: BTreeMap<String, CommittedFile> = files
            .filter_map(|file| {
                let within = store.within(file)?.to_string();
                Some((within.clone(), file.committed(&within)))
            })
            .collect();
        let differ = match walk.is_partial {
            false => walk.replay.differ_from(&told),
            true => self.differ_since(walk, told),
        };
        if let Some(path) = differ {
            let detail = "Delta's checkpoint says other than the commits of this data file";
            walk.report.find(FindingKind::StateDiffers, &path, detail);
        }
        let metadata = walk.replay.metadata.as_ref();
        if metadata.is_some_and(|metadata| metadata != snapshot.metadata()) {
            let detail = "Delta's checkpoint says other than the commits of settings or columns";
            walk.report.find(FindingKind::StateDiffers, "_delta_log", detail);
        }
    }

    /// Compares the saved snapshot, and the commits after it, with what the log comes to.
    async fn compare_saved(&self, store: Option<&EventDataStore>, report: &mut Verification) {
        let Some(told) = store.map(EventDataStore::latest) else { return };
        let Some(saved) = Box::pin(saved_snapshot::open(self.files, self.id)).await else { return };
        let saved = saved.snapshot;
        let is_same =
            saved.data_files() == told.data_files() && saved.metadata() == told.metadata();
        // A commit that was made meanwhile is for the next time.
        if saved.version() == told.version() && !is_same {
            let detail = "it is not what the commits came to; remove it, and it is made anew";
            report.find(FindingKind::FileAltered, &format!("_towpath/{SAVED_SNAPSHOT}"), detail);
        }
    }

    /// As `differ_from`, where only the commits since a checkpoint are known: without what they
    /// did, the files must be those that were signed. Makes the replay whole.
    fn differ_since(
        &self,
        walk: &mut Walk<'_>,
        mut told: BTreeMap<String, CommittedFile>,
    ) -> Option<String> {
        let since = self.options.since.as_ref()?;
        let differ = walk.replay.live.keys().find(|path| told.remove(*path).is_none()).cloned();
        let before = told.values().chain(&walk.replay.removed_from_before);
        let mut list = FileList::default();
        for file in before {
            list.add(&file.path, &file.sha256, file.bytes, file.rows);
        }
        let is_as_signed = list.sha256() == since.content().files_sha256;
        let first = told.keys().next().cloned().unwrap_or_default();
        walk.replay.add_before(told);
        differ.or_else(|| (!is_as_signed).then_some(first))
    }

    /// The files that must be there, of which those that are chosen are to be read.
    fn expected(&self, walk: &mut Walk<'_>) -> Vec<Expected> {
        let mut expected = Vec::new();
        let listing = walk.listing;
        let report = &mut *walk.report;
        for (path, file) in &walk.replay.live {
            report.data_files += 1;
            report.rows += file.rows;
            report.data_files_without_sha256 += u64::from(file.sha256.is_empty());
            let is_read = !walk.replay.before.contains(path) && self.is_chosen(path);
            let file = self.file(path, &file.sha256, Some(file.bytes));
            expected.extend(file.listed(listing, report).filter(|_| is_read));
        }
        for (path, dropped) in &walk.replay.dropped {
            if listing.contains_key(path) {
                let mut file = self.file(path, &dropped.sha256, dropped.bytes);
                file.may_go = true;
                let is_read = self.is_chosen(path);
                expected.extend(file.listed(listing, report).filter(|_| is_read));
            } else {
                let detail = "queries that began before it was taken out may still read it";
                report.find(FindingKind::FileRemovedEarly, path, detail);
            }
        }
        let newest = walk.delta_checkpoints.last().map(|newest| newest.version);
        for named in &walk.delta_checkpoints {
            let path = format!("_delta_log/{:020}.checkpoint.parquet", named.version);
            expected.extend(self.file(&path, &named.sha256, None).listed(listing, report));
            let is_newest = newest == Some(named.version) && !has_newer(listing, named.version);
            if let Some(sha256) = named.hint_sha256.as_ref().filter(|_| is_newest) {
                let hint = self.file("_delta_log/_last_checkpoint", sha256, None);
                expected.extend(hint.listed(listing, report));
            }
        }
        for path in listing.keys() {
            if let Some(sha256) = span_sha256(path) {
                let mut span = self.file(path, sha256, None);
                span.may_go = true;
                expected.extend(span.listed(listing, report));
            }
        }
        expected.retain(|file| !file.sha256.is_empty());
        expected
    }

    fn file(&self, path: &str, sha256: &str, bytes: Option<u64>) -> Expected {
        let root = layout::store(self.id);
        Expected {
            path: path.to_owned(),
            location: root.parts().chain(Path::from(path).parts()).collect(),
            bytes,
            sha256: sha256.to_owned(),
            may_go: false,
        }
    }

    /// Whether a data file is one of those that are read.
    fn is_chosen(&self, path: &str) -> bool {
        let Some(percent) = self.options.sample_percent else { return true };
        let seed = format!("{path} {}", self.options.now.timestamp_micros());
        let digits = sha256_hex(seed.as_bytes());
        let drawn = digits.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        f64::from(drawn.unwrap_or(0)) < percent / 100.0 * f64::from(u32::MAX)
    }

    /// Files that nothing names. A young data file may be one that a writer is about to commit.
    fn judge_unnamed(&self, unnamed: Vec<(String, ObjectMeta)>, report: &mut Verification) {
        let root = layout::store(self.id);
        for (path, file) in unnamed {
            let is_data_file = layout::is_data_file(&root, &file.location);
            // Of one that is older than the checkpoint, the commits that were read cannot tell.
            if self.options.since.is_some() && is_data_file {
                continue;
            }
            let is_young = self.options.now - file.last_modified < UNCOMMITTED_AGE_MIN;
            if is_young && path.ends_with(".parquet") && !path.starts_with('_') {
                report.files_in_flight.push(path);
            } else {
                let detail = match is_data_file {
                    true => "no commit names it; `towpath expire` removes what killed writers left",
                    false => "nothing names it",
                };
                report.find(FindingKind::FileUnnamed, &path, detail);
            }
        }
        report.files_in_flight.sort_unstable();
    }
}

/// Compares a block of what commits did, saved to be read faster, with the commits.
async fn compare_block(
    walk: &mut Walk<'_>,
    store: &EventDataStore,
    start: u64,
    path: &str,
    block: &[CommitSummary],
) {
    // A walk that begins within a block cannot say anything of it.
    if !walk.listing.contains_key(path) || block.first().map(|first| first.version) != Some(start) {
        return;
    }
    if store.saved_block(start).await.as_deref() != Some(block) {
        let detail = "it is not what the commits did; remove it, and it is made anew";
        walk.report.find(FindingKind::FileAltered, path, detail);
    }
}

/// Whether there is a checkpoint of Delta's after `version`.
fn has_newer(listing: &Listing, version: u64) -> bool {
    let versions = listing
        .keys()
        .filter_map(|path| layout::checkpoint_version(path.strip_prefix("_delta_log/")?));
    versions.max().is_some_and(|newest| newest > version)
}

/// The SHA-256 that the name of a file says it has.
fn span_sha256(path: &str) -> Option<&str> {
    let sha256 = path.strip_prefix("_towpath/index/")?.split('.').next()?;
    let is_sha256 = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sha256.then_some(sha256)
}

impl Walk<'_> {
    /// The files of the storage that nothing names, where `last` is the newest commit there is.
    fn unnamed(self, last: u64) -> Vec<(String, ObjectMeta)> {
        let is_named = |path: &str| {
            self.replay.live.contains_key(path)
                || self.replay.dropped.contains_key(path)
                || is_own(path, last)
        };
        let unnamed = self.listing.iter().filter(|(path, _)| !is_named(path));
        unnamed.map(|(path, file)| (path.clone(), file.clone())).collect()
    }
}

/// Whether a path is one that this program or Delta uses for other than data.
fn is_own(path: &str, last: u64) -> bool {
    if let Some(name) = path.strip_prefix("_delta_log/") {
        let version = layout::commit_version(name).or_else(|| layout::checkpoint_version(name));
        return version.is_some_and(|version| version <= last) || name == "_last_checkpoint";
    }
    let Some(name) = path.strip_prefix("_towpath/") else { return false };
    let is_lock = name.ends_with(".lock") || name.ends_with(".lease");
    let is_signed =
        name.strip_prefix("signed/").is_some_and(|name| layout::commit_version(name).is_some());
    let is_block = name.strip_prefix("commits/").is_some_and(|name| {
        name.strip_suffix(".gz").is_some_and(|name| layout::commit_version(name).is_some())
    });
    (is_lock && !name.contains('/'))
        || is_signed
        || is_block
        || name == SAVED_SNAPSHOT
        || name.starts_with("aside/")
        || span_sha256(path).is_some()
}

#[cfg(test)]
mod tests {
    use super::{is_own, span_sha256};

    #[test]
    fn only_known_names_need_no_commit() {
        let sha256 = "ab".repeat(32);
        let span = format!("_towpath/index/{sha256}.span");
        for own in [
            "_delta_log/00000000000000000003.json",
            "_delta_log/_last_checkpoint",
            "_towpath/writer.lock",
            "_towpath/compactor.lease",
            "_towpath/signed/00000000000000000003.json",
            "_towpath/commits/00000000000000000000.json.gz",
            "_towpath/aside/x",
            "_towpath/snapshot.json",
            &span,
        ] {
            assert!(is_own(own, 3), "{own}");
        }
        for other in [
            "_delta_log/00000000000000000004.json",
            "_delta_log/notes.json",
            "_towpath/notes",
            "_towpath/deep/writer.lock",
            "_towpath/index/short.span",
            "calendarmonth=202401/x.parquet",
            "notes",
        ] {
            assert!(!is_own(other, 3), "{other}");
        }
        assert_eq!(span_sha256(&span), Some(sha256.as_str()));
    }
}
