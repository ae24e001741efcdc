/// Folded stacks: one line per stack, `root;caller;leaf weight`.
///
/// The line-based exchange format that flame graph tools share. `read` takes what they write,
/// `write` gives what they take.
public enum Folded {}
