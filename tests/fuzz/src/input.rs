//! Choices from bytes; zeros once they run out.

pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let taken = self.0.len().min(N);
        let (head, tail) = self.0.split_at(taken);
        bytes[..taken].copy_from_slice(head);
        self.0 = tail;
        bytes
    }

    pub(crate) fn int(&mut self) -> i64 {
        i64::from_le_bytes(self.bytes())
    }

    /// Less than `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes(self.bytes())) % bound
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// From -2 to 2: an error of one second is what a limit would have.
    pub(crate) fn near(&mut self) -> i64 {
        i64::from(self.byte() % 5) - 2
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// What is left, if it is a text.
    pub(crate) fn text(self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }
}
