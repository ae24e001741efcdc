/// A function in the code, or a call that was inlined into it.
struct SourceNode {
  /// What `name` is.
  enum Kind: UInt32 {
    /// A linker symbol, from the debug information.
    case linkage
    /// The plain name of a function of C, which is its symbol, too.
    case plain
    /// The plain name of a function of another language, without namespace and type.
    case plainForeign
    /// A symbol of the symbol table.
    case symbol
    /// None: `start` is where unwind information says that a function begins.
    case unnamed
  }

  /// Number of a text.
  var name: UInt32
  var kind: Kind
  /// The function that this one is inlined into.
  var caller: UInt32 = SourceIndexBuilder.noNode
  /// Where `caller` calls it: number of a text, and 0 where the line is not known.
  var callFile: UInt32 = TextPool.empty
  var callLine: UInt32 = 0
  /// Place where an unnamed function begins.
  var start: UInt32 {
    get { callLine }
    set { callLine = newValue }
  }
}
