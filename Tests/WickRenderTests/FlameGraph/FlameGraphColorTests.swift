import Foundation
import Testing
import WickProfile

@testable import WickRender

struct FlameGraphColorTests {
  @Test(arguments: [
    ("BlogServer.handle(_:)", "BlogServer", CodeOwner.application),
    ("main", "", .application),
    ("swift_retain", "libswiftCore.so", .swiftRuntime),
    ("Foundation.Data.append(_:)", "libFoundationEssentials.so", .foundation),
    ("swift_retain", "BlogServer", .swiftRuntime),
    ("malloc", "libc.so.6", .libc),
    ("lambda", "perf-12.map", .jit),
    ("worker (tid 7)", "[thread]", .thread),
    ("server (pid 7)", "[process]", .process),
    ("sqlite3_step", "libsqlite3.so.0.8.6", .library),
    ("__vdso_clock_gettime", "[vdso]", .kernel),
    ("do_syscall_64", "[kernel.kallsyms]", .kernel),
    ("nf_hook_slow", "[nf_conntrack]", .kernel),
    ("ext4_readpage", "ext4.ko.xz", .kernel),
    ("[kernel.kallsyms]", "[kernel.kallsyms]", .kernel),
    ("[heap]", "[heap]", .unknown),
    ("[libc.so.6]", "libc.so.6", .unknown),
    ("tcp_sendmsg_[k]", "", .kernel),
    ("libc.so.6+0x1234", "libc.so.6", .unknown),
    ("0x7f001234", "", .unknown),
    ("[truncated]", "", .unknown),
    ("", "", .unknown),
  ])
  func ownersAreTold(name: String, module: String, owner: CodeOwner) {
    #expect(CodeOwner(CallTree.Function(name: name, module: module)) == owner)
  }

  @Test func aColorDependsOnTheNameOnly() throws {
    let first = try ParsedPicture(FlameGraph(Profile(stacks: [("a;b", 1), ("c", 9)])).document)
    let second = try ParsedPicture(FlameGraph(Profile(stacks: [("c;b", 7)])).document)
    let fill = { (picture: ParsedPicture, name: String) in
      picture.boxes.first { $0.name == name }?.fill
    }
    #expect(fill(first, "b") == fill(second, "b"))
    #expect(fill(first, "b") != fill(first, "c"))
  }

  /// WCAG 2 level AA asks for 4.5 : 1; in the dark scheme boxes are 88 % opaque over dark paper.
  @Test(arguments: CodeOwner.allCases)
  func labelsAreReadableOnEveryColor(owner: CodeOwner) {
    let ink = [0x1f, 0x1b, 0x18]
    let darkPaper = [0x1b, 0x1a, 0x18]
    var seen: Set<FrameColor> = []
    for index in 0..<2000 {
      let color = FrameColor(name: "function\(index)", owner: owner)
      seen.insert(color)
      let light = [color.red, color.green, color.blue]
      #expect(light.allSatisfy { (0...255).contains($0) })
      let dark = zip(light, darkPaper).map { ($0 * 88 + $1 * 12) / 100 }
      #expect(contrast(light, ink) >= 4.5)
      #expect(contrast(dark, ink) >= 4.5)
    }
    #expect(seen.count > 40)
  }

  private func contrast(_ first: [Int], _ second: [Int]) -> Double {
    let (a, b) = (luminance(first), luminance(second))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  private func luminance(_ color: [Int]) -> Double {
    let linear = color.map { channel -> Double in
      let value = Double(channel) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
}
