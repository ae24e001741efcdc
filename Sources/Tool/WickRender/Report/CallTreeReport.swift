public import WickProfile

/// Who calls whom, and what that costs, as a tree of text.
public struct CallTreeReport: Sendable {
  /// What the tree shows.
  public enum View {
    /// All stacks, from their roots on.
    case all
    /// The callers of what a pattern matches, towards the root.
    case callers(FramePattern)
    /// What a pattern matches with all that it calls.
    case callees(FramePattern)
  }

  /// Which calls are shown; what a call leads to is left out with it.
  public struct Limit: Hashable, Sendable {
    /// Calls of a smaller part of the tree's total are left out; in hundredths of a percent.
    public var hundredthsOfPercent: Int
    /// At most this many calls are shown, those that cost most; nil for all.
    public var count: Int?

    /// Creates a limit.
    public init(hundredthsOfPercent: Int = 50, count: Int? = nil) {
      self.hundredthsOfPercent = hundredthsOfPercent
      self.count = count
    }
  }

  /// What the tree shows, for messages and programs.
  enum Kind: String {
    case tree, callers, callees
  }

  /// The calls; of callers upside down.
  public let tree: CallTree
  /// Sum over all stacks of the profile, those included that are not in the tree.
  public let total: Int64
  /// What sampling leaves open, by node of `tree`; nil where all is exact.
  let errors: ErrorBars<Int>?
  /// How the figures came about.
  let account: ProfileAccount
  let kind: Kind
  /// What callers or callees are shown of; nil for the whole tree.
  let pattern: String?
  /// How many functions `pattern` matches that are the first on a stack.
  public let matchCount: Int
  let limit: Limit

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - profile: A profile, symbolicated as far as it can be.
  ///   - view: What is shown.
  ///   - column: Index into `profile.valueTypes`: what is counted.
  ///   - limit: Which calls are shown.
  public init(
    _ profile: Profile, view: View = .all, column: Int = 0, limit: Limit = Limit()
  ) {
    account = ProfileAccount(profile, column: column)
    let profile = profile.counting(column)
    let shown: Profile
    switch view {
    case .all: (shown, kind, pattern) = (profile, .tree, nil)
    case .callers(let text):
      (shown, kind, pattern) = (profile.callers(of: text), .callers, text.text)
    case .callees(let text):
      (shown, kind, pattern) = (profile.callees(of: text), .callees, text.text)
    }
    tree = CallTree(shown, column: column)
    // Another column's tree has the same nodes.
    errors = ErrorBars(shown, column: column) { column in
      CallTree(shown, column: column).nodes.enumerated().map {
        ($0, $1.selfValue, $1.totalValue)
      }
    }
    total = profile.total(of: column)
    matchCount = tree.nodes.count { $0.depth == 1 }
    self.limit = limit
  }

  /// Sum over all stacks in the tree.
  var treeTotal: Int64 { tree.nodes[0].totalValue }

  /// The calls to be shown, in order.
  var walk: CallTreeWalk { CallTreeWalk(tree, limit: limit) }

  /// The function of a call; nil for stacks of no function, which the root stands for.
  func function(_ call: CallTreeWalk.Call) -> CallTree.Function? {
    call.node == 0 ? nil : tree.functions[tree.nodes[call.node].function]
  }

  /// What sampling leaves open of `totalValue`.
  func totalError(_ call: CallTreeWalk.Call) -> SamplingError? {
    call.node == 0 ? errors?.ofSelf(0) : errors?.ofTotal(call.node)
  }

  /// What a call costs with all that it calls.
  func totalValue(_ call: CallTreeWalk.Call) -> Int64 {
    call.node == 0 ? tree.nodes[0].selfValue : tree.nodes[call.node].totalValue
  }
}
