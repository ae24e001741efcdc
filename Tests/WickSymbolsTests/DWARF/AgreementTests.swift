import Foundation
import Testing

@testable import WickSymbols

/// Names, files, lines and inlined calls are those of `llvm-symbolizer`.
@Suite struct AgreementTests {
  /// What a symbolizer says of an address: name and place of each function.
  private typealias Chain = [[String]]

  private static let cpp = """
    #include <algorithm>
    #include <map>
    #include <string>
    #include <vector>
    namespace app {
    template <typename T> struct Store {
      std::map<std::string, std::vector<T>> all;
      void add(const std::string &key, T value) { all[key].push_back(value); }
      T best(const std::string &key) {
        auto &list = all[key];
        std::sort(list.begin(), list.end(), [](T a, T b) { return b < a; });
        return list.empty() ? T() : list.front();
      }
    };
    namespace { struct Hidden { ~Hidden() { ++count; } static int count; }; int Hidden::count; }
    }
    int main(int argc, char **argv) {
      app::Store<int> ints;
      app::Store<double> doubles;
      for (int i = 0; i < argc + 5; i++) { ints.add(argv[0], i); doubles.add("x", i * .5); }
      app::Hidden hidden;
      if (__builtin_expect(argc > 100, 0)) throw std::string("never");
      return ints.best(argv[0]) + (int)doubles.best("x") + app::Hidden::count;
    }
    """

  private static let swift = """
    struct Item: Hashable { var key: String; var value: Int }
    protocol Shape { func area() -> Double }
    struct Square: Shape { var side: Double; func area() -> Double { side * side } }
    final class Box<T: Hashable> {
      var items: [T: Int] = [:]
      func add(_ item: T) { items[item, default: 0] += 1 }
      lazy var count = items.values.reduce(0, +)
    }
    @inline(never) func work(_ n: Int) -> Int {
      let box = Box<Item>()
      for i in 0..<n { box.add(Item(key: "k\\(i % 7)", value: i)) }
      let shapes: [any Shape] = (0..<n).map { Square(side: Double($0)) }
      return box.count + Int(shapes.map { $0.area() }.sorted { $0 > $1 }.reduce(0, +))
    }
    print(work(CommandLine.arguments.count + 10))
    """

  private func compare(_ path: String) throws -> (same: Int, all: Int, examples: [String]) {
    let addresses = try Self.addresses(path)
    let input = addresses.map { "0x" + String($0, radix: 16) + "\n" }.joined()
    let theirs = Self.chains(
      try ToolRun.output(
        ["llvm-symbolizer", "--obj=\(path)", "--inlines", "--no-demangle"], input: input),
      hasColumn: true)
    var symbols = try FileSymbols(path: path, debugFolders: [], areNamesRaw: true)
    var output: [UInt8] = []
    for address in addresses { symbols.appendText(at: address, to: &output) }
    let ours = Self.chains(String(decoding: output, as: UTF8.self), hasColumn: false)
    #expect(ours.count == theirs.count && ours.count == addresses.count)
    var examples: [String] = []
    var same = 0
    for (address, pair) in zip(addresses, zip(ours, theirs)) {
      if pair.0 == pair.1 {
        same += 1
      } else if examples.count < 5 {
        examples.append("\(String(address, radix: 16)): \(pair.0) | \(pair.1)")
      }
    }
    return (same, addresses.count, examples)
  }

  /// All addresses of `.text`.
  private static func addresses(_ path: String) throws -> Range<UInt64> {
    let file = try DebugFile(path: path)
    let text = try #require(file.elf.sections.first { $0.name == ".text" })
    return text.addresses
  }

  private static func chains(_ text: String, hasColumn: Bool) -> [Chain] {
    text.split(separator: "\n\n").map { part in
      let lines = part.split(separator: "\n")
      return stride(from: 0, to: lines.count - 1, by: 2).map { index in
        var place = lines[index + 1]
        if hasColumn, let colon = place.lastIndex(of: ":") { place = place[..<colon] }
        let colon = place.lastIndex(of: ":") ?? place.endIndex
        var file = URL(filePath: String(place[..<colon])).standardized.path
        // Without debug information llvm-symbolizer takes the file from the symbol table.
        if place.hasSuffix(":0"), !place.hasPrefix("/") { file = "??" }
        // By the names that people see: of a constructor's symbols (C1, C2, C4) each takes another,
        // and llvm-symbolizer shows those of clones.
        return [Demangler.name(of: String(lines[index])), file + place[colon...]]
      }
    }
  }

  private func expectAgreement(_ path: String) throws {
    let (same, all, examples) = try compare(path)
    #expect(same * 1000 >= all * 998, "\(same) of \(all): \(examples.joined(separator: "\n"))")
    #expect(all > 500)
  }

  @Test(arguments: [
    ["g++", "-gdwarf-4", "-O2"], ["g++", "-gdwarf-5", "-O2"], ["g++", "-g", "-O0"],
    ["g++", "-g", "-O2", "-flto", "-ffunction-sections", "-Wl,--gc-sections"],
    ["clang++", "-gdwarf-5", "-O2"], ["clang++", "-gdwarf-4", "-O1", "-gsplit-dwarf"],
  ])
  func programsInCppAgree(command: [String]) throws {
    let folder = try TemporaryFolder()
    try Self.cpp.write(toFile: "\(folder.path)/t.cc", atomically: true, encoding: .utf8)
    let line = "cd '\(folder.path)' && \(command.joined(separator: " ")) -std=c++17 -o t t.cc"
    _ = try ToolRun.output(["sh", "-c", line])
    try expectAgreement("\(folder.path)/t")
  }

  @Test(arguments: ["-O", "-Onone"]) func programsInSwiftAgree(flag: String) throws {
    let folder = try TemporaryFolder()
    try Self.swift.write(toFile: "\(folder.path)/t.swift", atomically: true, encoding: .utf8)
    let line = "cd '\(folder.path)' && swiftc -g \(flag) -o t t.swift"
    _ = try ToolRun.output(["sh", "-c", line])
    try expectAgreement("\(folder.path)/t")
  }

  @Test func programInCAgrees() throws {
    let program = try DebugProgram("gcc", ["-g"])
    let (same, all, examples) = try compare(program.path)
    #expect(same == all, "\(examples)")
  }
}
