//! The bytes of a log file → its text.
//!
//! What a file is, is told by its first bytes, not by its name: gzip is decompressed, JSON is taken
//! as it is. A file is accepted whole or not at all: every member's CRC-32 and length are checked,
//! and nothing may follow the last member. Decompression is bounded before memory is: see
//! [`RATIO_MAX`] and [`TEXT_BYTES_MAX`].
//!
//! Small single-member files, which is nearly all that CloudTrail delivers, go through libdeflate
//! (about twice as fast); whatever it cannot vouch for is decompressed again by zlib-rs, member by
//! member, which also says what is wrong and where.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Crc, Decompressor, crc32};

/// Largest text of one log file, in bytes. CloudTrail's own files stay below 50 MB; this leaves
/// room for files that someone merged, and bounds what one file can claim of the machine.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 30;

/// Largest ratio of text to compressed bytes once [`RATIO_TEXT_BYTES_MIN`] of text were made.
/// Real log files reach 16:1; deflate's own bound is 1,032:1.
const RATIO_MAX: usize = 200;

/// Text below this size is never called a bomb, however well it compressed.
const RATIO_TEXT_BYTES_MIN: usize = 16 << 20;

/// Largest text decompressed in one go into a buffer of its announced size. At this size the ratio
/// rule does not apply yet, so nothing is lost by not watching it.
const ONE_GO_TEXT_BYTES_MAX: usize = RATIO_TEXT_BYTES_MIN;

/// Text made between two looks at the limits when decompressing step by step.
const STEP_BYTES: usize = 256 << 10;

/// Buffer kept from one log file to the next. A larger one is given back.
const KEPT_BYTES_MAX: usize = ONE_GO_TEXT_BYTES_MAX;

/// The first bytes of a gzip member whose compression is deflate, the only one there is.
const MEMBER_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of a member's header before its optional parts, and of its trailer.
const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;

/// Why the bytes of a file are not the text of a log file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GunzipError {
    /// There are no bytes, or a complete gzip stream of none.
    #[error("log file is empty")]
    Empty,

    /// The first bytes are neither gzip's nor those of a JSON object.
    #[error("log file is neither gzip nor JSON")]
    NotGzip,

    /// The bytes end before the gzip stream does. It may still be being delivered or copied.
    #[error("gzip stream ends too early, after {at} bytes")]
    Truncated {
        /// Bytes there are.
        at: u64,
    },

    /// The compressed bytes break the rules of gzip or deflate.
    #[error("gzip stream is damaged near byte {at}")]
    Damaged {
        /// Offset in the file, in bytes.
        at: u64,
    },

    /// A member decompresses, but not to what its CRC-32 or length say it was.
    #[error("gzip stream has been altered: the checksum before byte {at} does not match")]
    ChecksumMismatch {
        /// Offset of the end of the member, in bytes.
        at: u64,
    },

    /// Something that is not gzip follows the last member.
    #[error("gzip stream is followed by other bytes, from byte {at}")]
    TrailingBytes {
        /// Offset of the first such byte.
        at: u64,
    },

    /// More than [`RATIO_MAX`] times larger decompressed than compressed.
    #[error("gzip stream expands more than {RATIO_MAX}:1, which no log file does")]
    Bomb,

    /// More than [`TEXT_BYTES_MAX`] of text.
    #[error("log file is larger than {TEXT_BYTES_MAX} bytes of text")]
    TooLarge,
}

impl GunzipError {
    /// Offset in the file of what is wrong, where one byte can be named.
    pub(crate) fn at(&self) -> Option<u64> {
        match *self {
            GunzipError::Truncated { at }
            | GunzipError::Damaged { at }
            | GunzipError::ChecksumMismatch { at }
            | GunzipError::TrailingBytes { at } => Some(at),
            _ => None,
        }
    }
}

/// Turns the bytes of log files into text, keeping its buffer from one file to the next.
pub(crate) struct Gunzip {
    one_go: Decompressor,
    buffer: Vec<u8>,
}

impl Gunzip {
    pub(crate) fn new() -> Gunzip {
        Gunzip { one_go: Decompressor::new(), buffer: Vec::new() }
    }

    /// Returns the text of the log file that consists of `bytes`.
    ///
    /// The text is not judged here: it may be anything that was compressed.
    ///
    /// # Errors
    ///
    /// Every variant of [`GunzipError`]; nothing of the file is given out then.
    pub(crate) fn text<'a>(&'a mut self, bytes: &'a [u8]) -> Result<&'a [u8], GunzipError> {
        if bytes.is_empty() {
            return Err(GunzipError::Empty);
        }
        if !bytes.starts_with(&MEMBER_MAGIC) {
            return plain_text(bytes);
        }
        if self.buffer.capacity() > KEPT_BYTES_MAX {
            self.buffer = Vec::new();
        }
        let length = match self.in_one_go(bytes) {
            Some(length) => length,
            None => self.step_by_step(bytes)?,
        };
        match self.buffer.get(..length) {
            Some(text) if length > 0 => Ok(text),
            _ => Err(GunzipError::Empty),
        }
    }

    /// Decompresses a small file of one member; `None` if that is not sure to be all of it.
    fn in_one_go(&mut self, bytes: &[u8]) -> Option<usize> {
        let (crc, length) = trailer(bytes.get(bytes.len().checked_sub(TRAILER_BYTES)?..)?)?;
        let length = usize::try_from(length).ok().filter(|l| *l <= ONE_GO_TEXT_BYTES_MAX)?;
        // libdeflate stops after the first member without a word. Another one must show its magic
        // bytes; by chance they also appear once in 16 MiB, which only costs the slower way.
        if memchr::memmem::find(bytes.get(1..)?, &MEMBER_MAGIC).is_some() {
            return None;
        }
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        let text = self.buffer.get_mut(..length)?;
        let made = self.one_go.gzip_decompress(bytes, text).ok()?;
        // It checked the member's own trailer. That this is the end of the file is still to see.
        (made == length && crc32(text) == crc).then_some(length)
    }

    /// Decompresses every member in turn, watching the limits.
    fn step_by_step(&mut self, bytes: &[u8]) -> Result<usize, GunzipError> {
        self.buffer.clear();
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            if !rest.starts_with(&MEMBER_MAGIC) {
                let cut_short = at > 0 && MEMBER_MAGIC.starts_with(rest);
                return Err(if cut_short { truncated(bytes) } else { trailing(at) });
            }
            at = self.member(bytes, at)?;
        }
        Ok(self.buffer.len())
    }

    /// Decompresses the member that begins at `start` and returns where it ends.
    fn member(&mut self, bytes: &[u8], start: usize) -> Result<usize, GunzipError> {
        let text_start = self.buffer.len();
        let at = self.inflate(bytes, header_end(bytes, start)?)?;
        let text = self.buffer.get(text_start..).unwrap_or_default();
        let mut crc = Crc::new();
        crc.update(text);
        let end = at + TRAILER_BYTES;
        let Some(trailer) = bytes.get(at..end).and_then(trailer) else {
            return Err(truncated(bytes));
        };
        // A length is stored modulo 2^32; TEXT_BYTES_MAX is below that.
        if trailer != (crc.sum(), u32::try_from(text.len()).unwrap_or(u32::MAX)) {
            return Err(GunzipError::ChecksumMismatch { at: offset(end) });
        }
        Ok(end)
    }

    /// Decompresses the deflate stream that begins at `start` and returns where it ends.
    fn inflate(&mut self, bytes: &[u8], start: usize) -> Result<usize, GunzipError> {
        let mut inflate = Decompress::new(false);
        let mut at = start;
        loop {
            self.buffer.reserve(STEP_BYTES);
            let (made_before, read_before) = (self.buffer.len(), inflate.total_in());
            let input = bytes.get(at..).unwrap_or_default();
            let status = inflate
                .decompress_vec(input, &mut self.buffer, FlushDecompress::None)
                .map_err(|_| GunzipError::Damaged { at: offset(at) })?;
            at += usize::try_from(inflate.total_in() - read_before).unwrap_or(usize::MAX);
            self.check_limits(at)?;
            if status == Status::StreamEnd {
                return Ok(at);
            }
            let stands_still =
                self.buffer.len() == made_before && inflate.total_in() == read_before;
            if stands_still {
                return Err(truncated(bytes));
            }
        }
    }

    /// Refuses a bomb: `read` compressed bytes have become the text made so far.
    fn check_limits(&self, read: usize) -> Result<(), GunzipError> {
        let made = self.buffer.len();
        if made > RATIO_TEXT_BYTES_MIN && made / RATIO_MAX > read {
            return Err(GunzipError::Bomb);
        }
        if made > TEXT_BYTES_MAX {
            return Err(GunzipError::TooLarge);
        }
        Ok(())
    }
}

/// Bytes that are not gzip: the text itself if they can be JSON.
fn plain_text(bytes: &[u8]) -> Result<&[u8], GunzipError> {
    if bytes.len() < MEMBER_MAGIC.len() && MEMBER_MAGIC.starts_with(bytes) {
        return Err(truncated(bytes));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match text.first() {
        Some(b'{') if bytes.len() > TEXT_BYTES_MAX => Err(GunzipError::TooLarge),
        Some(b'{') => Ok(bytes),
        Some(_) => Err(GunzipError::NotGzip),
        None => Err(GunzipError::Empty),
    }
}

/// Where the header of the member at `start` ends: it may hold a name, a comment and more.
fn header_end(bytes: &[u8], start: usize) -> Result<usize, GunzipError> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    let flags = *bytes.get(start + 3).ok_or_else(|| truncated(bytes))?;
    if flags & RESERVED != 0 {
        return Err(GunzipError::Damaged { at: offset(start + 3) });
    }
    let mut at = start + HEADER_BYTES;
    if flags & EXTRA != 0 {
        let (Some(low), Some(high)) = (bytes.get(at), bytes.get(at + 1)) else {
            return Err(truncated(bytes));
        };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    for part in [NAME, COMMENT] {
        if flags & part != 0 {
            let text = bytes.get(at..).ok_or_else(|| truncated(bytes))?;
            at += 1 + memchr::memchr(0, text).ok_or_else(|| truncated(bytes))?;
        }
    }
    if flags & CRC != 0 {
        at += 2;
    }
    if at > bytes.len() { Err(truncated(bytes)) } else { Ok(at) }
}

/// The CRC-32 and the length that end a member.
fn trailer(bytes: &[u8]) -> Option<(u32, u32)> {
    let (crc, length) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*crc), u32::from_le_bytes(length.try_into().ok()?)))
}

fn truncated(bytes: &[u8]) -> GunzipError {
    GunzipError::Truncated { at: offset(bytes.len()) }
}

fn trailing(at: usize) -> GunzipError {
    GunzipError::TrailingBytes { at: offset(at) }
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder, write::GzEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text_of(bytes: &[u8]) -> Result<Vec<u8>, GunzipError> {
        Gunzip::new().text(bytes).map(<[u8]>::to_vec)
    }

    /// Text that deflate cannot shorten by much, as a repeated pattern would be.
    fn uneven_text(bytes: usize) -> Vec<u8> {
        let mut state = 1u64;
        let step = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b'a' + u8::try_from((state >> 33) % 26).unwrap()
        };
        std::iter::repeat_with(step).take(bytes).collect()
    }

    #[test]
    fn text_comes_back_whole_on_either_way() {
        for bytes in [1, 300, STEP_BYTES + 1, 3 << 20] {
            let text = uneven_text(bytes);
            let file = gzip(&text);
            let mut gunzip = Gunzip::new();
            assert_eq!(gunzip.in_one_go(&file), Some(text.len()));
            assert_eq!(gunzip.text(&file), Ok(&*text));
            assert_eq!(gunzip.step_by_step(&file), Ok(text.len()));
            assert_eq!(gunzip.buffer, text);
        }
    }

    #[test]
    fn text_above_the_one_go_limit_is_decompressed_step_by_step() {
        let text = uneven_text(ONE_GO_TEXT_BYTES_MAX + 1);
        let file = gzip(&text);
        assert_eq!(Gunzip::new().in_one_go(&file), None);
        assert_eq!(text_of(&file), Ok(text));
    }

    #[test]
    fn a_buffer_used_before_leaves_nothing_in_the_next_text() {
        let mut gunzip = Gunzip::new();
        assert_eq!(gunzip.text(&gzip(&uneven_text(5000))).map(<[u8]>::len), Ok(5000));
        assert_eq!(gunzip.text(&gzip(b"{}")), Ok(&b"{}"[..]));
    }

    #[test]
    fn several_members_are_one_text() {
        let same = [gzip(b"{\"a\":1}"), gzip(b"{\"a\":1}")].concat();
        assert_eq!(text_of(&same), Ok(b"{\"a\":1}{\"a\":1}".to_vec()));
        let with_empty = [gzip(b""), gzip(b"{\"Records\":"), gzip(b"[]}"), gzip(b"")].concat();
        assert_eq!(text_of(&with_empty), Ok(b"{\"Records\":[]}".to_vec()));
    }

    #[test]
    fn optional_parts_of_a_header_are_passed_over() {
        let mut encoder = GzBuilder::new()
            .filename("a.json")
            .comment("made by hand")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), Compression::default());
        encoder.write_all(b"{}").unwrap();
        let file = encoder.finish().unwrap();
        assert_eq!(text_of(&file), Ok(b"{}".to_vec()));
        assert_eq!(Gunzip::new().step_by_step(&file), Ok(2));
        for end in 0..file.len() {
            assert!(text_of(&file[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn every_truncation_is_named_as_one() {
        let file = gzip(&uneven_text(2000));
        for end in 1..file.len() {
            let expected = Err(GunzipError::Truncated { at: offset(end) });
            assert_eq!(text_of(&file[..end]), expected, "{end}");
        }
    }

    #[test]
    fn every_altered_bit_is_refused_or_harmless() {
        let text = uneven_text(700);
        let file = gzip(&text);
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut altered = file.clone();
                altered[at] ^= 1 << bit;
                // A time stamp, or a bit that only fills up the last byte, means nothing here.
                if let Ok(read) = text_of(&altered) {
                    assert_eq!(read, text, "byte {at} bit {bit}");
                }
            }
        }
    }

    #[test]
    fn each_kind_of_bad_file_has_its_own_error() {
        let file = gzip(b"{\"Records\":[]}");
        let end = file.len();
        let mut other_crc = file.clone();
        other_crc[end - 8] ^= 1;
        let mut other_length = file.clone();
        other_length[end - 4] ^= 1;
        let cases: Vec<(Vec<u8>, GunzipError)> = vec![
            (Vec::new(), GunzipError::Empty),
            (gzip(b""), GunzipError::Empty),
            (b" \n".to_vec(), GunzipError::Empty),
            (b"no log file".to_vec(), GunzipError::NotGzip),
            (b"PK\x03\x04".to_vec(), GunzipError::NotGzip),
            (other_crc, GunzipError::ChecksumMismatch { at: offset(end) }),
            (other_length, GunzipError::ChecksumMismatch { at: offset(end) }),
            ([&file[..], b"x"].concat(), GunzipError::TrailingBytes { at: offset(end) }),
            ([&file[..], &[0; 512]].concat(), GunzipError::TrailingBytes { at: offset(end) }),
            ([&file[..], &file[..2]].concat(), GunzipError::Truncated { at: offset(end + 2) }),
            ([&file[..], &file[..9]].concat(), GunzipError::Truncated { at: offset(end + 9) }),
        ];
        for (bytes, expected) in cases {
            assert_eq!(text_of(&bytes), Err(expected));
        }
    }

    #[test]
    fn json_is_told_by_its_first_byte_and_kept_as_it_is() {
        for text in ["{}", " \r\n\t{", "\u{feff}{\"Records\":[]}"] {
            assert_eq!(text_of(text.as_bytes()), Ok(text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn a_bomb_is_stopped_soon_after_sixteen_mebibytes() {
        let spaces = vec![b' '; RATIO_TEXT_BYTES_MIN * 4];
        let bomb = gzip(&spaces);
        let mut gunzip = Gunzip::new();
        assert_eq!(gunzip.text(&bomb), Err(GunzipError::Bomb));
        assert!(gunzip.buffer.capacity() <= RATIO_TEXT_BYTES_MIN * 2 + STEP_BYTES);
        let below = gzip(&spaces[..RATIO_TEXT_BYTES_MIN]);
        assert_eq!(text_of(&below).map(|text| text.len()), Ok(RATIO_TEXT_BYTES_MIN));
    }
}
