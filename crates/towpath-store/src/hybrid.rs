//! Parquet's hybrid encoding of small numbers: runs of one number, and others packed into bits.
//!
//! See <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>.

/// Numbers are packed in groups of so many, and a run is worth a header of its own from so many on.
const GROUP: usize = 8;

/// Most numbers behind one header of packed groups: what one byte of header can tell, since there
/// are readers that expect no more.
const PACKED_MAX: usize = 63 * GROUP;

/// How many bits the numbers up to `greatest` take.
pub(crate) fn bits_for(greatest: usize) -> u32 {
    usize::BITS - greatest.leading_zeros()
}

/// Appends `numbers`, each of `bits` bits at most.
pub(crate) fn encode<N>(numbers: &[N], bits: u32, out: &mut Vec<u8>)
where
    N: Copy + PartialEq + Into<u32>,
{
    // Those from `packed` up to `at` wait to be packed. All but the last are whole groups.
    let (mut packed, mut at) = (0, 0);
    while let Some(first) = numbers.get(at) {
        let rest = numbers.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|number| *number == first).count();
        // Only whole groups can be packed before a run, so that takes the first of it.
        let topping = (at - packed).next_multiple_of(GROUP) - (at - packed);
        if length < topping + GROUP {
            at += length;
            continue;
        }
        pack(numbers.get(packed..at + topping).unwrap_or_default(), bits, out);
        run((*first).into(), length - topping, bits, out);
        at += length;
        packed = at;
    }
    let rest = numbers.get(packed..).unwrap_or_default();
    match rest.split_first() {
        Some((first, others)) if others.iter().all(|number| number == first) => {
            run((*first).into(), rest.len(), bits, out);
        }
        _ => pack(rest, bits, out),
    }
}

/// Appends a run of one number.
fn run(number: u32, length: usize, bits: u32, out: &mut Vec<u8>) {
    varint(length << 1, out);
    let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or_default();
    out.extend(number.to_le_bytes().iter().take(bytes));
}

/// Appends numbers one by one, filled up to whole groups with zeros.
fn pack<N: Copy + Into<u32>>(numbers: &[N], bits: u32, out: &mut Vec<u8>) {
    for numbers in numbers.chunks(PACKED_MAX) {
        let groups = numbers.len().div_ceil(GROUP);
        varint(groups << 1 | 1, out);
        let filled = numbers.iter().map(|number| (*number).into());
        let filled = filled.chain([0; GROUP]).take(groups * GROUP);
        // The bits that are not yet out; below 32 of them between two numbers.
        let (mut word, mut held) = (0_u64, 0);
        for number in filled {
            word |= u64::from(number) << held;
            held += bits;
            if held >= 32 {
                let [a, b, c, d, ..] = word.to_le_bytes();
                out.extend_from_slice(&[a, b, c, d]);
                word >>= 32;
                held -= 32;
            }
        }
        let bytes = usize::try_from(held / 8).unwrap_or_default();
        out.extend(word.to_le_bytes().iter().take(bytes));
    }
}

/// Appends a number seven bits at a time.
pub(crate) fn varint(number: usize, out: &mut Vec<u8>) {
    let mut rest = number;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::{bits_for, encode};
    use proptest::prelude::{prop, prop_assert_eq, proptest};

    fn varint(bytes: &mut &[u8]) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return number;
            }
        }
    }

    /// Decodes, as the format's page tells it.
    fn decode(mut bytes: &[u8], bits: u32, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let header = varint(&mut bytes);
            if header & 1 == 0 {
                let (number, rest) = bytes.split_at(bits.div_ceil(8) as usize);
                bytes = rest;
                let mut le = [0; 4];
                le[..number.len()].copy_from_slice(number);
                numbers.extend(vec![u32::from_le_bytes(le); header >> 1]);
            } else {
                let (packed, rest) = bytes.split_at((header >> 1) * bits as usize);
                bytes = rest;
                for place in 0..(header >> 1) * 8 {
                    let bit = |i: usize| u32::from(packed[i / 8] >> (i % 8) & 1);
                    let start = place * bits as usize;
                    numbers.push((0..bits as usize).map(|i| bit(start + i) << i).sum());
                }
            }
        }
        assert!(bytes.is_empty());
        numbers.truncate(count);
        numbers
    }

    #[test]
    fn bits_are_those_of_the_greatest_number() {
        for (greatest, bits) in [(0, 0), (1, 1), (2, 2), (255, 8), (256, 9)] {
            assert_eq!(bits_for(greatest), bits);
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(
            runs in prop::collection::vec((0_u32..70_000, 1_u32..700), 0..20),
            narrow in 0_u32..18,
        ) {
            let mask = (1_u32 << narrow) - 1;
            let numbers: Vec<u32> = runs
                .iter()
                .flat_map(|(number, length)| {
                    // Some runs, and some numbers that differ.
                    let step = u32::from(length % 3 == 0);
                    (0..*length).map(move |i| (number + i * step) & mask)
                })
                .collect();
            let greatest = numbers.iter().copied().max().unwrap_or(0);
            let bits = bits_for(greatest as usize);
            let mut bytes = Vec::new();
            encode(&numbers, bits, &mut bytes);
            if !numbers.is_empty() {
                prop_assert_eq!(decode(&bytes, bits, numbers.len()), numbers);
            }
        }
    }
}
