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

use flate2::{Decompress, DecompressError, FlushDecompress, Status};
use libdeflater::{Decompressor, crc32};

/// Largest text of one log file, in bytes. CloudTrail's own files stay below 50 MB; this leaves
/// room for files that someone merged, and bounds what one file can claim of the machine.
pub(crate) const TEXT_BYTES_MAX: u64 = 1 << 30;

/// Largest ratio of text to compressed bytes once [`RATIO_TEXT_BYTES_MIN`] of text were made.
/// Real log files reach 16:1; deflate's own bound is 1,032:1.
const RATIO_MAX: u64 = 200;

/// Text below this size is never called a bomb, however well it compressed.
const RATIO_TEXT_BYTES_MIN: u64 = 16 << 20;

/// Largest text decompressed in one go into a buffer of its announced size. At this size the ratio
/// rule does not apply yet, so nothing is lost by not watching it.
const ONE_GO_TEXT_BYTES_MAX: usize = 16 << 20;

/// Text made between two looks at the limits when decompressing step by step.
const STEP_BYTES: usize = 256 << 10;

/// Buffer kept from one log file to the next. A larger one is given back.
const KEPT_BYTES_MAX: usize = ONE_GO_TEXT_BYTES_MAX;

/// The first bytes of a gzip member whose compression is deflate, the only one there is.
const MEMBER_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of a member's trailer: CRC-32 and length.
const TRAILER_BYTES: usize = 8;

/// The largest window there is, 32 KiB, as a power of two.
const WINDOW_BITS: u8 = 15;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

/// Whether a log file, which can be decompressed, is gzip of one member as CloudTrail writes it.
pub(crate) fn is_one_member(bytes: &[u8]) -> bool {
    // By chance the magic bytes also appear within a member, once in 16 MiB.
    bytes.starts_with(&MEMBER_MAGIC)
        && bytes.get(1..).is_some_and(|rest| {
            memchr::memmem::find(rest, &MEMBER_MAGIC).is_none() || has_one_end(bytes)
        })
}

/// Whether the first member ends where the file does.
fn has_one_end(bytes: &[u8]) -> bool {
    let (mut stream, mut text, mut rest) = (GzipStream::new(), Vec::new(), bytes);
    while let Ok(Some(read)) = stream.step(rest, &mut text) {
        rest = rest.get(read..).unwrap_or_default();
        text.clear();
    }
    stream.members == 1 && stream.end().is_ok() && rest.is_empty()
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

    /// Returns the text of the log file that consists of `bytes`; `None` if it has more text than
    /// `text_bytes_max`.
    ///
    /// The text is not judged here: it may be anything that was compressed.
    ///
    /// # Errors
    ///
    /// Every variant of [`GunzipError`]; nothing of the file is given out then.
    pub(crate) fn text<'a>(
        &'a mut self,
        bytes: &'a [u8],
        text_bytes_max: usize,
    ) -> Result<Option<&'a [u8]>, GunzipError> {
        match Form::of(bytes)? {
            Form::Json => return Ok(Some(bytes).filter(|text| text.len() <= text_bytes_max)),
            Form::Gzip => {}
        }
        if self.buffer.capacity() > KEPT_BYTES_MAX {
            self.buffer = Vec::new();
        }
        let length = match self.in_one_go(bytes) {
            Some(length) => Some(length),
            None => self.step_by_step(bytes, text_bytes_max)?,
        };
        let text = length.filter(|length| *length <= text_bytes_max);
        match text.map(|length| self.buffer.get(..length).unwrap_or_default()) {
            Some([]) => Err(GunzipError::Empty),
            text => Ok(text),
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

    /// Decompresses every member in turn, watching the limits. `None` if there is more text than
    /// `text_bytes_max`.
    fn step_by_step(
        &mut self,
        bytes: &[u8],
        text_bytes_max: usize,
    ) -> Result<Option<usize>, GunzipError> {
        self.buffer.clear();
        let mut stream = GzipStream::new();
        let mut rest = bytes;
        while let Some(read) = stream.step(rest, &mut self.buffer)? {
            rest = rest.get(read..).unwrap_or_default();
            if self.buffer.len() > text_bytes_max {
                return Ok(None);
            }
        }
        stream.end()?;
        Ok(Some(self.buffer.len()))
    }
}

/// Decompresses gzip piece by piece, as it comes.
pub(crate) struct GzipStream {
    /// The member that has begun and not ended.
    member: Option<Decompress>,
    /// Bytes read and made, in all members.
    read: u64,
    made: u64,
    /// Members that have begun.
    pub(crate) members: u32,
}

impl GzipStream {
    pub(crate) fn new() -> GzipStream {
        GzipStream { member: None, read: 0, made: 0, members: 0 }
    }

    /// Decompresses some of `input` onto the end of `text` and returns how much of it was read;
    /// `None` if nothing could be done without more input.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes read so far.
    pub(crate) fn step(
        &mut self,
        input: &[u8],
        text: &mut Vec<u8>,
    ) -> Result<Option<usize>, GunzipError> {
        let member = match (&mut self.member, input.first()) {
            (Some(member), _) => member,
            (None, None) => return Ok(None),
            (none, Some(0x1f)) => {
                self.members = self.members.saturating_add(1);
                none.insert(Decompress::new_gzip(WINDOW_BITS))
            }
            (None, Some(_)) => return Err(GunzipError::TrailingBytes { at: self.read }),
        };
        text.reserve(STEP_BYTES);
        let before = (member.total_in(), member.total_out());
        let status = member.decompress_vec(input, text, FlushDecompress::None);
        let read = member.total_in() - before.0;
        let made = member.total_out() - before.1;
        self.read += read;
        self.made += made;
        match status {
            Ok(Status::StreamEnd) => self.member = None,
            Ok(_) if read == 0 && made == 0 => return Ok(None),
            Ok(_) => {}
            Err(err) => return Err(self.damage(&err)),
        }
        self.check_limits()?;
        Ok(Some(usize::try_from(read).unwrap_or(usize::MAX)))
    }

    /// Says that there is no more input.
    ///
    /// # Errors
    ///
    /// [`GunzipError::Truncated`] if there had to be.
    pub(crate) fn end(&self) -> Result<(), GunzipError> {
        match &self.member {
            Some(_) => Err(GunzipError::Truncated { at: self.read }),
            None => Ok(()),
        }
    }

    /// The two messages are zlib's for a trailer that does not fit.
    fn damage(&self, err: &DecompressError) -> GunzipError {
        match err.message() {
            Some("incorrect data check" | "incorrect length check") => {
                GunzipError::ChecksumMismatch { at: self.read }
            }
            _ => GunzipError::Damaged { at: self.read },
        }
    }

    /// Refuses a bomb.
    fn check_limits(&self) -> Result<(), GunzipError> {
        if self.made > RATIO_TEXT_BYTES_MIN && self.made / RATIO_MAX > self.read {
            return Err(GunzipError::Bomb);
        }
        if self.made > TEXT_BYTES_MAX {
            return Err(GunzipError::TooLarge);
        }
        Ok(())
    }
}

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Gzip,
    /// The text as it is. It begins as a JSON object or array does.
    Json,
}

impl Form {
    /// Judges a file by its beginning. A kilobyte is enough, unless it begins with more white
    /// space than that.
    ///
    /// # Errors
    ///
    /// [`GunzipError::Empty`], [`GunzipError::NotGzip`] if it is neither form, and
    /// [`GunzipError::Truncated`] if there is too little to tell.
    pub(crate) fn of(beginning: &[u8]) -> Result<Form, GunzipError> {
        if beginning.starts_with(&MEMBER_MAGIC) {
            return Ok(Form::Gzip);
        }
        let text = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning);
        match text.trim_ascii_start().first() {
            Some(b'{' | b'[') => Ok(Form::Json),
            Some(_) if MEMBER_MAGIC.starts_with(beginning) => {
                Err(GunzipError::Truncated { at: offset(beginning.len()) })
            }
            Some(_) => Err(GunzipError::NotGzip),
            None => Err(GunzipError::Empty),
        }
    }
}

/// The CRC-32 and the length that end a member.
fn trailer(bytes: &[u8]) -> Option<(u32, u32)> {
    let (crc, length) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*crc), u32::from_le_bytes(length.try_into().ok()?)))
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};
    use libdeflater::{CompressionLvl, Compressor};

    use super::*;

    const ANY: usize = usize::MAX;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(CompressionLvl::default());
        let mut file = vec![0; compressor.gzip_compress_bound(text.len())];
        let length = compressor.gzip_compress(text, &mut file).unwrap();
        file.truncate(length);
        file
    }

    fn text_of(bytes: &[u8]) -> Result<Vec<u8>, GunzipError> {
        Gunzip::new().text(bytes, ANY).map(|text| text.unwrap().to_vec())
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
            assert!(gunzip.text(&file, ANY) == Ok(Some(&*text)));
            assert_eq!(gunzip.step_by_step(&file, ANY), Ok(Some(text.len())));
            assert!(gunzip.buffer == text);
        }
    }

    #[test]
    fn text_above_the_one_go_limit_is_decompressed_step_by_step() {
        let text = uneven_text(ONE_GO_TEXT_BYTES_MAX + 1);
        let file = gzip(&text);
        assert_eq!(Gunzip::new().in_one_go(&file), None);
        assert!(text_of(&file) == Ok(text));
    }

    #[test]
    fn text_above_what_is_wanted_is_not_given_out() {
        let text = format!("{{{}", "x".repeat(5000)).into_bytes();
        for file in [gzip(&text), [gzip(&text[..9]), gzip(&text[9..])].concat(), text.clone()] {
            assert_eq!(Gunzip::new().text(&file, 5000), Ok(None));
            assert_eq!(Gunzip::new().text(&file, 5001), Ok(Some(&*text)));
        }
    }

    #[test]
    fn a_stream_may_come_in_pieces_of_any_size() {
        let text = uneven_text(3000);
        let file = [gzip(&text[..1000]), gzip(b""), gzip(&text[1000..])].concat();
        for piece in [1, 7, 1024] {
            let (mut stream, mut made) = (GzipStream::new(), Vec::new());
            for mut input in file.chunks(piece) {
                while let Some(read) = stream.step(input, &mut made).unwrap() {
                    input = &input[read..];
                }
                assert!(input.is_empty());
            }
            assert_eq!(stream.end(), Ok(()));
            assert_eq!(made, text);
        }
    }

    #[test]
    fn a_buffer_used_before_leaves_nothing_in_the_next_text() {
        let mut gunzip = Gunzip::new();
        let first = gzip(&uneven_text(5000));
        assert_eq!(gunzip.text(&first, ANY).unwrap().unwrap().len(), 5000);
        assert_eq!(gunzip.text(&gzip(b"{}"), ANY), Ok(Some(&b"{}"[..])));
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
        assert_eq!(Gunzip::new().step_by_step(&file, ANY), Ok(Some(2)));
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
            (other_crc, GunzipError::ChecksumMismatch { at: offset(end - 4) }),
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
        for text in ["{}", " \r\n\t{", "[{}]", "\u{feff}{\"Records\":[]}"] {
            assert_eq!(text_of(text.as_bytes()), Ok(text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn a_bomb_is_stopped_soon_after_sixteen_mebibytes() {
        let spaces = vec![b' '; 64 << 20];
        let bomb = gzip(&spaces);
        let mut gunzip = Gunzip::new();
        assert_eq!(gunzip.text(&bomb, ANY).map(|_| "text"), Err(GunzipError::Bomb));
        assert!(gunzip.buffer.capacity() <= (32 << 20) + STEP_BYTES);
        let below = gzip(&spaces[..16 << 20]);
        assert_eq!(text_of(&below).map(|text| text.len()), Ok(16 << 20));
    }
}
