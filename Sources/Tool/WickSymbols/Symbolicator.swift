public import WickProfile

/// Turns a profile of addresses into a profile of functions.
///
/// An address is named by the debug information, which also gives source lines and makes each call
/// that was inlined a frame of its own; else by the symbol that covers it, else by the function it
/// is in (`module!fn@0x1a2b0`, from unwind information), else by itself (`module+0x1a2b3`, or
/// `0x7f…` in no module). Files whose build-id is not the recorded one are never used. Modules are read once
/// and kept, so symbolicating several profiles of one program with one symbolicator is cheaper.
public struct Symbolicator: Sendable {
  private struct Key: Hashable {
    var path: String
    var buildID: [UInt8]

    init(_ module: Module) {
      path = module.path
      buildID = module.buildID
    }
  }

  private var finder: ModuleFinder
  private var modules: [Key: ModuleSymbols] = [:]

  /// Whether functions have the names that are in the files, and none is folded into another.
  public var areNamesRaw = false

  /// Called before a module is read, which may take long.
  public var willRead: (@Sendable (Module) -> Void)?

  /// Called for each module with where its names come from, and what is amiss.
  public var explain: (@Sendable (String) -> Void)?

  /// Of more processes the files are not looked for.
  private static let processLimit = 64

  /// Creates a symbolicator.
  ///
  /// - Parameters:
  ///   - root: Put before the path of each file, such as `/proc/PID/root` for a process in a
  ///     container.
  ///   - debugFolders: Where separate debug files are searched, below `root` too.
  ///   - cache: Where to keep what was read; nil: nowhere.
  public init(
    root: String = "", debugFolders: [String] = ["/usr/lib/debug"], cache: SymbolCache? = nil
  ) {
    finder = ModuleFinder(root: root, debugFolders: debugFolders, cache: cache)
  }

  /// Names all frames that have an address and no function yet.
  ///
  /// Functions of Swift's compiler that only call another one are not shown beside that one.
  ///
  /// - Parameter profile: Its frames' modules are looked for among the files of this machine.
  /// - Returns: The profile with functions, and with a warning in `origin.warnings` for each
  ///   module that was missing, refused or without symbols.
  public mutating func symbolicate(_ profile: Profile) -> Profile {
    var counts: [Key: NameCount] = [:]
    var order: [Key] = []
    finder.processes = profile.origin.processes.prefix(Self.processLimit).map {
      LiveProcess(pid: $0.pid)
    }
    readModules(of: profile)
    // With several processes an address alone says nothing.
    let processes = profile.origin.processes
    let perfMap = processes.count == 1 ? PerfMap(pid: processes[0].pid) : nil
    let areNamesRaw = self.areNamesRaw
    var result = profile.replacingFrames { frame in
      if frame.kind == .objectType {
        guard !areNamesRaw, let name = Demangler.cppTypeName(of: frame.function) else {
          return [frame]
        }
        return [frame.named(name)]
      }
      guard frame.function.isEmpty, let address = frame.address,
        let lookupAddress = frame.lookupAddress
      else { return [frame] }
      guard let index = frame.module, profile.modules.indices.contains(index) else {
        return [frame.named(perfMap?.name(at: lookupAddress) ?? Hex.address(address))]
      }
      let module = profile.modules[index]
      let key = Key(module)
      let coverage = modules[key]?.coverage(at: lookupAddress) ?? .nothing
      if counts[key] == nil { order.append(key) }
      counts[key, default: NameCount()].count(coverage)
      switch coverage {
      case .functions(let chain):
        return chain.enumerated().map { depth, location in
          var frame = frame.named(location.function)
          frame.file = location.file
          frame.line = location.line
          frame.isInlined = depth > 0
          return frame
        }
      case .unnamed(let start):
        return [frame.named("\(module.name)!fn@\(Hex.address(start))")]
      case .nothing: return [frame.named("\(module.name)+\(Hex.address(address))")]
      }
    }
    for key in order {
      let count = counts[key, default: NameCount()]
      if let explain {
        let facts = (modules[key]?.facts ?? []) + [count.summary]
        explain("\(key.path): \(facts.joined(separator: "; "))")
      }
      for problem in modules[key]?.problems ?? [] {
        if let warning = count.warning(about: problem, path: key.path, buildID: key.buildID) {
          result.origin.warnings.append(warning)
        }
      }
    }
    return areNamesRaw ? result : result.foldingForwarders { SwiftForwarding.of($0.function) }
  }

  /// Reads all modules that frames without a function are in, as far as these need.
  private mutating func readModules(of profile: Profile) {
    var wanted: [Key: Set<UInt64>] = [:]
    for frame in profile.frames where frame.function.isEmpty {
      guard let index = frame.module, profile.modules.indices.contains(index),
        let address = frame.lookupAddress
      else { continue }
      wanted[Key(profile.modules[index]), default: []].insert(address)
    }
    for module in profile.modules {
      let key = Key(module)
      guard let addresses = wanted.removeValue(forKey: key)?.sorted(),
        modules[key]?.serves(addresses) != true
      else { continue }
      willRead?(module)
      var symbols = finder.symbols(of: module, for: addresses)
      symbols.areNamesRaw = areNamesRaw
      modules[key] = symbols
    }
  }
}

extension Frame {
  /// This frame with a function.
  fileprivate func named(_ function: String) -> Frame {
    var frame = self
    frame.function = function
    return frame
  }
}
