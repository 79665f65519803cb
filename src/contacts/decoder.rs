//! A stream of text in any encoding → the same text in UTF-8, in bounded memory.
//!
//! What cannot be decoded becomes a byte that UTF-8 does not have, so that whoever reads the cells can name the cell.
//! This file must not guess an encoding.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

const BUFFER_BYTES: usize = 64 * 1024;
/// Stands for what cannot be decoded.
const NOT_UTF8: u8 = 0xff;

/// The text of `input` in UTF-8.
pub(super) struct Decoded<R> {
    input: R,
    decoder: Decoder,
    ready: Vec<u8>,
    taken: usize,
    at_end: bool,
}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { input, decoder, ready: Vec::new(), taken: 0, at_end: false }
    }

    /// The input, for what there is to say about it at the end.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    fn decode_more(&mut self) -> io::Result<()> {
        self.taken = 0;
        let mut written = 0;
        while written == 0 && !self.at_end {
            self.ready.clear(); // where the input fails, nothing is ready
            let chunk = self.input.fill_buf()?;
            let last = chunk.is_empty();
            self.ready.resize(BUFFER_BYTES, 0);
            // Room for the byte that stands for a flaw.
            let room = BUFFER_BYTES - 1;
            let (result, read, made) =
                self.decoder.decode_to_utf8_without_replacement(chunk, &mut self.ready[..room], last);
            self.input.consume(read);
            written = made;
            match result {
                DecoderResult::Malformed(..) => {
                    self.ready[written] = NOT_UTF8;
                    written += 1;
                }
                DecoderResult::InputEmpty => self.at_end = last,
                DecoderResult::OutputFull => {}
            }
        }
        self.ready.truncate(written);
        Ok(())
    }
}

impl<R: BufRead> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.ready.len() {
            self.decode_more()?;
        }
        Ok(&self.ready[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.ready.len().min(self.taken + amount);
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let n = ready.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, UTF_16LE, WINDOWS_1252};

    fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut input = Decoded::new(io::BufReader::with_capacity(3, bytes), encoding);
        input.read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn text_is_decoded_whatever_the_pieces_it_comes_in() {
        let long = "Zoë, Müller\n".repeat(20_000);
        let (latin, _, _) = WINDOWS_1252.encode(&long);
        assert!(decoded(WINDOWS_1252, &latin) == long.as_bytes());
        let wide: Vec<u8> = "a😀é".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(UTF_16LE, &wide), "a😀é".as_bytes());
    }

    #[test]
    fn what_cannot_be_decoded_is_no_utf_8() {
        assert_eq!(decoded(UTF_16LE, b"a\0\x00\xd8b\0"), b"a\xffb");
        assert_eq!(decoded(UTF_16LE, b"a\0b"), b"a\xff");
        assert_eq!(decoded(SHIFT_JIS, b"a\x81"), b"a\xff");
    }
}
