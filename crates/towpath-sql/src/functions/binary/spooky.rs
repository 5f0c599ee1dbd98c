//! `SpookyHash` V2 by Bob Jenkins, seed 0, for `spooky_hash_v2_32` and `spooky_hash_v2_64`.

/// Bytes from which the long form of the hash is used.
const LONG_BYTES: usize = 192;
/// Bytes of one block of the long form.
const BLOCK_BYTES: usize = 96;
const CONSTANT: u64 = 0xdead_beef_dead_beef;

/// The first 64 bits of the hash of `bytes`.
pub(super) fn spooky(bytes: &[u8]) -> u64 {
    if bytes.len() < LONG_BYTES { short(bytes) } else { long(bytes) }
}

fn word(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(eight)
}

fn short(bytes: &[u8]) -> u64 {
    let mut h = [0, 0, CONSTANT, CONSTANT];
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        let [a, b, c, d] = [0, 1, 2, 3].map(|index| words.get(index).map_or(0, |one| word(one)));
        h[2] = h[2].wrapping_add(a);
        h[3] = h[3].wrapping_add(b);
        short_mix(&mut h);
        h[0] = h[0].wrapping_add(c);
        h[1] = h[1].wrapping_add(d);
    }
    let rest = if let Some((sixteen, after)) = rest.split_at_checked(16) {
        h[2] = h[2].wrapping_add(word(sixteen));
        h[3] = h[3].wrapping_add(word(sixteen.get(8..).unwrap_or(&[])));
        short_mix(&mut h);
        after
    } else {
        rest
    };
    h[3] = h[3].wrapping_add(u64::try_from(bytes.len()).unwrap_or(0) << 56);
    if rest.is_empty() {
        h[2] = h[2].wrapping_add(CONSTANT);
        h[3] = h[3].wrapping_add(CONSTANT);
    } else {
        h[2] = h[2].wrapping_add(word(rest));
        h[3] = h[3].wrapping_add(word(rest.get(8..).unwrap_or(&[])));
    }
    short_end(&mut h);
    h[0]
}

/// One step of the short mix on the numbers at `a`, `b` and `c`.
fn short_mix(h: &mut [u64; 4]) {
    const TURNS: [u32; 12] = [50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36];
    let [mut a, mut b, mut c, mut d] = [h[2], h[3], h[0], h[1]];
    for turn in TURNS {
        a = a.rotate_left(turn).wrapping_add(b);
        c ^= a;
        [a, b, c, d] = [b, c, d, a];
    }
    *h = [c, d, a, b];
}

fn short_end(h: &mut [u64; 4]) {
    const TURNS: [u32; 11] = [15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63];
    // `to` takes up `from`, which is turned; then both move on by one.
    let (mut from, mut to) = (2_usize, 3_usize);
    for turn in TURNS {
        h[to & 3] ^= h[from & 3];
        h[from & 3] = h[from & 3].rotate_left(turn);
        h[to & 3] = h[to & 3].wrapping_add(h[from & 3]);
        (from, to) = (to, to + 1);
    }
}

fn long(bytes: &[u8]) -> u64 {
    let mut h = [0, 0, CONSTANT, 0, 0, CONSTANT, 0, 0, CONSTANT, 0, 0, CONSTANT];
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        long_mix(&mut h, block);
    }
    let mut last = [0; BLOCK_BYTES];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    last[BLOCK_BYTES - 1] = u8::try_from(rest.len()).unwrap_or(0);
    for (index, one) in last.as_chunks::<8>().0.iter().enumerate() {
        h[index] = h[index].wrapping_add(word(one));
    }
    for _ in 0..3 {
        long_end(&mut h);
    }
    h[0]
}

fn long_mix(h: &mut [u64; 12], block: &[u8; BLOCK_BYTES]) {
    const TURNS: [u32; 12] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46];
    for ((at, one), turn) in block.as_chunks::<8>().0.iter().enumerate().zip(TURNS) {
        let before = (at + 11) % 12;
        h[at] = h[at].wrapping_add(word(one));
        h[(at + 2) % 12] ^= h[(at + 10) % 12];
        h[before] ^= h[at];
        h[at] = h[at].rotate_left(turn);
        h[before] = h[before].wrapping_add(h[(at + 1) % 12]);
    }
}

fn long_end(h: &mut [u64; 12]) {
    const TURNS: [u32; 12] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54];
    for (at, turn) in TURNS.into_iter().enumerate() {
        let (first, second, third) = ((at + 11) % 12, (at + 1) % 12, (at + 2) % 12);
        h[first] = h[first].wrapping_add(h[second]);
        h[third] ^= h[first];
        h[second] = h[second].rotate_left(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::spooky;

    #[test]
    fn hashes_are_those_of_the_reference() {
        assert_eq!(spooky(b""), 0x2327_06FC_6BF5_0919);
        assert_eq!(spooky(b"hello"), 0x3768_826A_D382_E6CA);
        assert_eq!(spooky(&[b'a'; 200]), 0xBB4D_BF86_9339_A432);
        let every_byte: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(spooky(&every_byte.repeat(3)), 0x879A_5134_3301_CFC4);
    }

    #[test]
    fn both_forms_depend_on_every_byte() {
        for length in [1, 15, 16, 31, 33, 191, 192, 200, 500] {
            let bytes = vec![7_u8; length];
            let mut other = bytes.clone();
            other[length - 1] ^= 1;
            assert_ne!(spooky(&bytes), spooky(&other), "{length}");
        }
    }
}
