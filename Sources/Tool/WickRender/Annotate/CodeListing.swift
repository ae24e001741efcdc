/// Machine code with what its instructions cost.
public struct CodeListing: Sendable {
  /// An instruction.
  public struct Instruction: Hashable, Sendable {
    /// Module-relative address.
    public var address: UInt64
    /// Bytes of code.
    public var byteCount: Int
    /// Mnemonic and operands.
    public var text: String
    /// Whether it is of the line that is listed; else it stands between such.
    public var isOfLine: Bool
    /// Value counted while it was interrupted.
    public var selfValue: Int64
    /// Value counted in it and in what it calls.
    public var totalValue: Int64

    /// Creates an instruction.
    public init(
      address: UInt64, byteCount: Int, text: String, isOfLine: Bool = true, selfValue: Int64 = 0,
      totalValue: Int64 = 0
    ) {
      self.address = address
      self.byteCount = byteCount
      self.text = text
      self.isOfLine = isOfLine
      self.selfValue = selfValue
      self.totalValue = totalValue
    }
  }

  /// The module's name.
  public var module: String
  /// Why there is no code; nil where there is.
  public var problem: String?
  /// By address; those between that are of other lines may be left out.
  public var instructions: [Instruction]

  /// Creates a listing.
  public init(module: String, problem: String? = nil, instructions: [Instruction] = []) {
    self.module = module
    self.problem = problem
    self.instructions = instructions
  }
}
