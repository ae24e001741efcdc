/// One step of a stack: a code address, a named function, or both.
///
/// A recording gives frames with an address and no function; symbolication turns each into one
/// frame per function of its inline chain. Text formats give named frames without an address.
public struct Frame: Hashable, Sendable {
  /// What `address` means, which decides how it is looked up.
  public enum Kind: UInt8, Hashable, Sendable {
    /// The interrupted instruction.
    case instruction
    /// The address after a call.
    case returnAddress
    /// The resume point of an async function.
    case asyncResume
    /// No code: the stack was cut here; `function` says why.
    case truncated
    /// Code that a signal interrupted, called by nobody: the frames towards the leaf are those of
    /// the signal's handler.
    case interrupted
    /// No code: the type of the objects that the calling frame allocated, as the leaf of the stack;
    /// `function` is its name, or of a C++ class the symbol of its `type_info` name (`_ZTS…`).
    case objectType
  }

  /// The meaning of `address`.
  public var kind: Kind
  /// Index into `Profile.modules`; nil where the module is not known.
  public var module: Int?
  /// Module-relative address, or the runtime address where `module` is nil; nil for a frame that
  /// came with a name only.
  public var address: UInt64?
  /// The function's name as shown to people; empty before symbolication.
  public var function: String
  /// Source file of the call or instruction.
  public var file: String?
  /// Line in `file`, from 1; 0 where it is not known.
  public var line: UInt32
  /// Whether the function was inlined into the next frame towards the root.
  public var isInlined: Bool

  /// Creates a frame.
  public init(
    kind: Kind = .returnAddress, module: Int? = nil, address: UInt64? = nil,
    function: String = "", file: String? = nil, line: UInt32 = 0, isInlined: Bool = false
  ) {
    self.kind = kind
    self.module = module
    self.address = address
    self.function = function
    self.file = file
    self.line = line
    self.isInlined = isInlined
  }

  /// The address to look up: inside the call for a return address, exact otherwise.
  public var lookupAddress: UInt64? {
    guard let address, kind != .truncated else { return nil }
    return kind == .returnAddress ? address &- 1 : address
  }
}
