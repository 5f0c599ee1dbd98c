//! Which blocks of rows a value is in, as a table of hashes that is read a bucket at a time.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::index::BLOCK_BITS;

/// The columns of text that people look for one value in, by the names data files give them.
pub(crate) const VALUE_COLUMNS: [&str; 8] = [
    "eventID",
    "sharedEventID",
    "sourceIPAddress",
    "userIdentity_accessKeyId",
    "userIdentity_arn",
    "userIdentity_principalId",
    "userIdentity_userName",
    "userIdentity_sessionContext_sessionIssuer_arn",
];

/// The column of maps, and the keys whose values people look for in it.
///
/// Few, because most other values occur once and would take as much room as event ids do.
pub(crate) const MAP_COLUMN: &str = "requestParameters";
pub(crate) const MAP_KEYS: [&str; 10] = [
    "bucketName",
    "functionName",
    "groupId",
    "instanceId",
    "keyId",
    "policyArn",
    "roleArn",
    "roleName",
    "secretId",
    "userName",
];

/// Entries of a bucket, on average: four kilobytes, which is what a storage reads at once.
const BUCKET_ENTRIES: usize = 1_024;

/// Bits of a hash that tell values of one bucket apart: one in a thousand look-ups of a value that
/// is not there finds a block all the same, which is then read for nothing.
const TAG_BITS: u32 = 32 - BLOCK_BITS;

/// Most bits of a hash that choose the bucket: those that a pair has left.
const BUCKET_BITS_MAX: u32 = 64 - BLOCK_BITS - TAG_BITS;

/// Bytes of an entry, and of the checksum after the entries of a bucket.
const ENTRY_BYTES: u64 = 4;
const CHECKSUM_BYTES: usize = 4;

/// One value of one column, or of one key of a column of maps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Needle {
    column: String,
    key: Option<String>,
    value: String,
}

impl Needle {
    /// The value in the column that data files call `column`; `None` if it is not indexed.
    #[must_use]
    pub fn in_column(column: &str, value: &str) -> Option<Needle> {
        let needle = || Needle { column: column.to_owned(), key: None, value: value.to_owned() };
        VALUE_COLUMNS.contains(&column).then(needle)
    }

    /// The value of `key` in the column of maps `column`; `None` if it is not indexed.
    #[must_use]
    pub fn in_map(column: &str, key: &str, value: &str) -> Option<Needle> {
        let needle = || Needle {
            column: column.to_owned(),
            key: Some(key.to_owned()),
            value: value.to_owned(),
        };
        (column == MAP_COLUMN && MAP_KEYS.contains(&key)).then(needle)
    }

    pub(crate) fn column(&self) -> &str {
        &self.column
    }

    pub(crate) fn hash(&self) -> u64 {
        hash(key_seed(self.key.as_deref()), &self.value)
    }
}

/// A condition on the rows that are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Rows that have the value.
    Value(Needle),
    /// Rows that meet all of these. At least one.
    All(Vec<Wanted>),
    /// Rows that meet any of these. At least one.
    Any(Vec<Wanted>),
}

impl Wanted {
    /// The values in it, each once.
    #[must_use]
    pub fn needles(&self) -> BTreeSet<&Needle> {
        match self {
            Wanted::Value(needle) => BTreeSet::from([needle]),
            Wanted::All(parts) | Wanted::Any(parts) => {
                parts.iter().flat_map(Wanted::needles).collect()
            }
        }
    }

    /// The blocks that may hold such rows, of those that each value is in.
    pub(crate) fn blocks<'a>(
        &self,
        of: &impl Fn(&Needle) -> Option<&'a BTreeSet<u32>>,
    ) -> Option<BTreeSet<u32>> {
        match self {
            Wanted::Value(needle) => of(needle).cloned(),
            // A part that cannot be told leaves the others to tell.
            Wanted::All(parts) => parts
                .iter()
                .filter_map(|part| part.blocks(of))
                .reduce(|all, part| all.intersection(&part).copied().collect()),
            Wanted::Any(parts) => {
                let parts: Option<Vec<BTreeSet<u32>>> =
                    parts.iter().map(|part| part.blocks(of)).collect();
                parts.map(|parts| parts.into_iter().flatten().collect())
            }
        }
    }
}

/// What the hashes of values of a key of a map begin with; of a column without keys, nothing.
pub(crate) fn key_seed(key: Option<&str>) -> u64 {
    key.map_or(0, |key| xxh3_64(key.as_bytes()))
}

pub(crate) fn hash(seed: u64, value: &str) -> u64 {
    xxh3_64_with_seed(value.as_bytes(), seed)
}

/// Bits of a hash that choose the part that a pair is gathered in. Parts of some thousand pairs are
/// put in order within a processor's cache, and grow without a copy of all pairs.
const PART_BITS: u32 = 8;

/// The values of a column while its table is made.
#[derive(Debug, Default)]
pub(crate) struct TableBuilder {
    /// The upper bits of a value's hash, and the block it is in, by the first bits of the hash.
    parts: Vec<Vec<u64>>,
    /// The values of the block that is being added, with repetitions.
    block: Vec<u64>,
}

impl TableBuilder {
    pub(crate) fn add(&mut self, hash: u64) {
        // Rows are sorted, so most repetitions follow one another.
        if self.block.last() != Some(&hash) {
            self.block.push(hash);
        }
    }

    pub(crate) fn end_block(&mut self, block: u32) {
        self.block.sort_unstable();
        self.block.dedup();
        self.parts.resize_with(1 << PART_BITS, Vec::new);
        let part_of = |hash: &u64| bucket_of(*hash, PART_BITS);
        let pair = |hash: &u64| (hash >> BLOCK_BITS << BLOCK_BITS) | u64::from(block);
        for run in self.block.chunk_by(|a, b| part_of(a) == part_of(b)) {
            let part = run.first().and_then(|hash| usize::try_from(part_of(hash)).ok());
            if let Some(part) = part.and_then(|part| self.parts.get_mut(part)) {
                part.extend(run.iter().map(pair));
            }
        }
        self.block.clear();
    }

    /// The bytes of the table, and where each bucket begins, counted in entries.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Vec<u32>) {
        for part in &mut self.parts {
            part.sort_unstable();
            part.dedup();
        }
        let pairs: usize = self.parts.iter().map(Vec::len).sum();
        let buckets = (pairs / BUCKET_ENTRIES).max(1).next_power_of_two();
        let bits = buckets.trailing_zeros().min(BUCKET_BITS_MAX);
        let mut bytes = Vec::with_capacity(4 * pairs + CHECKSUM_BYTES * buckets);
        let (mut starts, mut entries) = (vec![0], 0_u32);
        // Each part is given back when its pairs are through.
        let mut left = self.parts.into_iter().flatten().peekable();
        for bucket in 0..1_u64 << bits {
            let start = bytes.len();
            let mut last = None;
            while let Some(pair) = left.next_if(|pair| bucket_of(*pair, bits) == bucket) {
                let entry = entry_of(pair, bits);
                if last.replace(entry) != Some(entry) {
                    bytes.extend_from_slice(&entry.to_le_bytes());
                    entries = entries.saturating_add(1);
                }
            }
            let sum = checksum(bucket, bytes.get(start..).unwrap_or_default());
            bytes.extend_from_slice(&sum);
            starts.push(entries);
        }
        (bytes, starts)
    }
}

/// The bucket of a hash, or of a pair that begins with it.
fn bucket_of(hash: u64, bits: u32) -> u64 {
    hash.checked_shr(64 - bits).unwrap_or(0)
}

/// What is kept of a pair in its bucket: the bits that follow those of the bucket, and the block.
fn entry_of(pair: u64, bits: u32) -> u32 {
    let block = pair & ((1 << BLOCK_BITS) - 1);
    u32::try_from(u64::from(tag_of(pair, bits)) << BLOCK_BITS | block).unwrap_or(u32::MAX)
}

fn tag_of(hash: u64, bits: u32) -> u32 {
    u32::try_from((hash << bits) >> (64 - TAG_BITS)).unwrap_or(u32::MAX)
}

fn checksum(bucket: u64, entries: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = xxh3_64_with_seed(entries, bucket).to_le_bytes();
    [a, b, c, d]
}

/// Where a bucket is in its table, and what to look for in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    number: u64,
    tag: u32,
    /// Its first byte in the table, and the one after its last.
    pub(crate) bytes: (u64, u64),
}

impl Bucket {
    /// The bucket that a hash is in, of a table whose buckets begin at `starts`.
    pub(crate) fn of(hash: u64, starts: &[u32]) -> Option<Bucket> {
        let buckets = starts.len().checked_sub(1).filter(|count| count.is_power_of_two())?;
        let bits = buckets.trailing_zeros();
        let number = bucket_of(hash, bits);
        let at = usize::try_from(number).ok()?;
        let offset = |at: usize| {
            let entries = u64::from(*starts.get(at)?);
            Some(entries * ENTRY_BYTES + (at * CHECKSUM_BYTES) as u64)
        };
        let bytes = (offset(at)?, offset(at + 1)?);
        (bytes.0 < bytes.1).then_some(Bucket { number, tag: tag_of(hash, bits), bytes })
    }

    /// The blocks that the bytes of the bucket name; `None` if they are not what was written.
    pub(crate) fn blocks(&self, content: &[u8]) -> Option<BTreeSet<u32>> {
        let (entries, sum) = content.split_last_chunk::<CHECKSUM_BYTES>()?;
        if checksum(self.number, entries) != *sum {
            return None;
        }
        let entries = entries.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let found = entries.filter(|entry| entry >> BLOCK_BITS == self.tag);
        Some(found.map(|entry| entry & ((1 << BLOCK_BITS) - 1)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKET_ENTRIES, Bucket, Needle, TableBuilder, Wanted, hash};
    use std::collections::{BTreeMap, BTreeSet};

    fn blocks(table: &(Vec<u8>, Vec<u32>), value: &str) -> Option<BTreeSet<u32>> {
        let bucket = Bucket::of(hash(0, value), &table.1)?;
        let (start, end) = bucket.bytes;
        bucket.blocks(&table.0[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()])
    }

    #[test]
    fn every_value_is_found_in_all_its_blocks_and_others_hardly_ever() {
        for values in [1, 7, 3 * BUCKET_ENTRIES, 40 * BUCKET_ENTRIES] {
            let mut builder = TableBuilder::default();
            let mut expected: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
            for block in 0..40_u32 {
                for row in 0..values / 10 + 1 {
                    let value = format!("v{}", (row * 7 + block as usize * 31) % values);
                    builder.add(hash(0, &value));
                    expected.entry(value).or_default().insert(block);
                }
                builder.end_block(block);
            }
            let table = builder.finish();
            let mut too_many = 0;
            for (value, expected) in &expected {
                let found = blocks(&table, value).unwrap();
                assert!(found.is_superset(expected), "{value}");
                too_many += found.len() - expected.len();
            }
            for absent in 0..1000 {
                too_many += blocks(&table, &format!("absent {absent}")).unwrap().len();
            }
            assert!(too_many < 200, "{too_many} blocks too many of {values} values");
        }
    }

    #[test]
    fn bucket_that_was_changed_anywhere_is_not_believed() {
        let mut builder = TableBuilder::default();
        (0..50).for_each(|value| builder.add(hash(0, &format!("v{value}"))));
        builder.end_block(3);
        let (bytes, starts) = builder.finish();
        let bucket = Bucket::of(hash(0, "v7"), &starts).unwrap();
        assert_eq!(bucket.blocks(&bytes), Some(BTreeSet::from([3])));
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 4;
            assert_eq!(bucket.blocks(&changed), None, "byte {place}");
        }
        assert_eq!(bucket.blocks(&bytes[1..]), None);
        assert_eq!(bucket.blocks(&[]), None);
    }

    #[test]
    fn conditions_combine_what_is_known() {
        let needle = |value| Needle::in_column("eventID", value).unwrap();
        let known = BTreeMap::from([
            (needle("a"), BTreeSet::from([1, 2])),
            (needle("b"), BTreeSet::from([2, 3])),
        ]);
        let of = |needle: &Needle| known.get(needle);
        let value = |text| Wanted::Value(needle(text));
        let all = |parts| Wanted::All(parts).blocks(&of);
        let any = |parts| Wanted::Any(parts).blocks(&of);
        assert_eq!(all(vec![value("a"), value("b")]), Some(BTreeSet::from([2])));
        assert_eq!(any(vec![value("a"), value("b")]), Some(BTreeSet::from([1, 2, 3])));
        // Of what is in no table nothing is known: it may be anywhere.
        assert_eq!(all(vec![value("a"), value("?")]), Some(BTreeSet::from([1, 2])));
        assert_eq!(any(vec![value("a"), value("?")]), None);
        assert_eq!(Needle::in_column("userAgent", "x"), None);
        assert_eq!(Needle::in_map("requestParameters", "encoding-type", "x"), None);
    }
}
