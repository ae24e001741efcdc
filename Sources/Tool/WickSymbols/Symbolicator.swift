public import WickProfile

/// Turns a profile of addresses into a profile of functions.
///
/// An address is named by the symbol that covers it, else by the function it is in
/// (`module!fn@0x1a2b0`, from unwind information), else by itself (`module+0x1a2b3`, or `0x7f…` in
/// no module). Files whose build-id is not the recorded one are never used. Modules are read once
/// and kept, so symbolicating several profiles of one program with one symbolicator is cheaper.
public struct Symbolicator: Sendable {
  private struct Key: Hashable {
    var path: String
    var buildID: [UInt8]
  }

  private let finder: ModuleFinder
  private var modules: [Key: ModuleSymbols] = [:]

  /// Creates a symbolicator.
  ///
  /// - Parameters:
  ///   - root: Put before the path of each file, such as `/proc/PID/root` for a process in a
  ///     container.
  ///   - debugFolders: Where separate debug files are searched, below `root` too.
  public init(root: String = "", debugFolders: [String] = ["/usr/lib/debug"]) {
    finder = ModuleFinder(root: root, debugFolders: debugFolders)
  }

  /// Names all frames that have an address and no function yet.
  ///
  /// - Parameter profile: Its frames' modules are looked for among the files of this machine.
  /// - Returns: The profile with functions, and with a warning in `origin.warnings` for each
  ///   module that was missing, refused or without symbols.
  public mutating func symbolicate(_ profile: Profile) -> Profile {
    var counts: [Key: NameCount] = [:]
    var order: [Key] = []
    var result = profile.replacingFrames { frame in
      guard frame.kind != .truncated, frame.function.isEmpty, let address = frame.address,
        let lookupAddress = frame.lookupAddress
      else { return [frame] }
      guard let index = frame.module, profile.modules.indices.contains(index) else {
        return [frame.named(Hex.address(address))]
      }
      let module = profile.modules[index]
      let key = Key(path: module.path, buildID: module.buildID)
      let coverage = modules[key, default: finder.symbols(of: module)]
        .coverage(at: lookupAddress)
      if counts[key] == nil { order.append(key) }
      counts[key, default: NameCount()].count(coverage)
      switch coverage {
      case .functions(let chain):
        return chain.map { frame.named($0.function, file: $0.file, line: $0.line) }
      case .unnamed(let start):
        return [frame.named("\(module.name)!fn@\(Hex.address(start))")]
      case .nothing: return [frame.named("\(module.name)+\(Hex.address(address))")]
      }
    }
    for key in order {
      let count = counts[key, default: NameCount()]
      for problem in modules[key]?.problems ?? [] {
        if let warning = count.warning(about: problem, path: key.path, buildID: key.buildID) {
          result.origin.warnings.append(warning)
        }
      }
    }
    return result
  }
}

extension Frame {
  /// This frame with a function.
  fileprivate func named(_ function: String, file: String? = nil, line: UInt32 = 0) -> Frame {
    var frame = self
    frame.function = function
    frame.file = file
    frame.line = line
    return frame
  }
}
