import Foundation
import Testing
import WickProfile

@testable import WickRender

struct FlameGraphTests {
  /// A tree with towers, single samples and equal names at several depths.
  static let busy: Profile = {
    var stacks: [(String, Int64)] = []
    for a in 0..<9 {
      for b in 0..<(a + 1) {
        for c in 0..<7 {
          stacks.append(("main;worker\(a);step\(b);leaf\(c);step\(c)", Int64((a * b + c) % 11)))
        }
        stacks.append(("main;worker\(a);step\(b)", Int64(a)))
      }
    }
    return Profile(stacks: stacks)
  }()

  @Test func everyBoxHoldsItsCalleesAndItsOwnSamples() throws {
    let picture = try ParsedPicture(FlameGraph(Self.busy).document)
    let boxes = picture.boxes
    #expect(boxes.count == CallTree(Self.busy).nodes.count(where: { $0.totalValue > 0 }))
    #expect(picture.rootAttributes["data-left-out"] == "0")
    for (index, box) in boxes.enumerated() {
      let callees = picture.callees(of: index)
      #expect(callees.reduce(box.selfValue) { $0 + $1.width } == box.width)
      var next = box.start
      var nextLeft = box.left
      for callee in callees {
        #expect(callee.start == next)
        #expect(abs(callee.left - nextLeft) < 1e-9)
        next += callee.width
        nextLeft += callee.percentWidth
      }
      let total = Double(boxes[0].width)
      #expect(abs(box.percentWidth - 100 * Double(box.width) / total) < 0.00011)
    }
  }

  @Test func rootIsTheWholeProfile() throws {
    let total = CallTree(Self.busy).nodes[0].totalValue
    let picture = try ParsedPicture(FlameGraph(Self.busy).document)
    #expect(picture.rootAttributes["data-total"] == "\(total)")
    #expect(picture.boxes[0].width == total)
    #expect(picture.boxes[0].name == "all")
    #expect(picture.boxes.reduce(0) { $0 + $1.selfValue } == total)
  }

  @Test func oneCallPathIsOneBox() throws {
    let tree = Profile(stacks: [("foo", 1), ("foo;bar", 1), ("foo2", 1), ("foo", 2)])
    let picture = try ParsedPicture(FlameGraph(tree).document)
    #expect(picture.boxes.map(\.name) == ["all", "foo", "bar", "foo2"])
    #expect(picture.boxes.map(\.width) == [5, 4, 1, 1])
    #expect(picture.boxes.map(\.selfValue) == [0, 3, 1, 1])
  }

  @Test func siblingsStandInTheOrderOfTheirNames() throws {
    let names = ["b", "a", "ab", "a.closure", "a(_:)", "é", "B"]
    let tree = Profile(stacks: names.map { ($0, 1) })
    let again = Profile(stacks: names.reversed().map { ($0, 1) })
    let picture = try ParsedPicture(FlameGraph(tree).document)
    #expect(
      picture.boxes.dropFirst().map(\.name) == ["B", "a", "a(_:)", "a.closure", "ab", "b", "é"])
    #expect(FlameGraph(again).document == FlameGraph(tree).document)
  }

  @Test func sameTreeGivesTheSameBytes() {
    let first = FlameGraph(Self.busy).document
    #expect(FlameGraph(Self.busy).document.utf8.elementsEqual(first.utf8))
  }

  @Test func hoverTextSaysNameModuleSamplesAndShare() throws {
    let stacks: [(String, Int64)] = [("main;read", 1_234_567), ("main;one", 1)]
    let tree = Profile(stacks: stacks, module: "/lib/libc.so.6")
    let options = FlameGraph.Options(minimumWidth: 0)
    let picture = try ParsedPicture(FlameGraph(tree, options: options).document)
    #expect(picture.boxes.first?.hover == "all\n1,234,568 samples, 100.00%")
    #expect(picture.boxes[2].hover == "one\nlibc.so.6\n1 sample, 0.00%")
    #expect(picture.boxes.last?.hover == "read\nlibc.so.6\n1,234,567 samples, 100.00%")
  }

  @Test func unitsOtherThanCountsAreNamed() throws {
    let tree = Profile(stacks: [("main", 1500)], valueType: .cpu)
    let picture = try ParsedPicture(FlameGraph(tree).document)
    #expect(picture.boxes[1].hover == "main\n1,500 ns, 100.00%")
  }

  @Test func noSamplesAreSaid() throws {
    for tree in [Profile(valueTypes: [.samples]), Profile(stacks: [("main", 0)])] {
      let picture = try ParsedPicture(FlameGraph(tree).document)
      #expect(picture.boxes.isEmpty)
      #expect(picture.texts["empty"] == "There are no samples to show.")
      #expect(picture.rootAttributes["data-total"] == "0")
    }
  }

  @Test func narrowBoxesAreLeftToTheScriptAndCounted() throws {
    let profile = Profile(stacks: [("wide;deep", 11_759), ("thin;below", 1)])
    let all = FlameGraph.Options(minimumWidth: 0.05)
    #expect(try ParsedPicture(FlameGraph(profile, options: all).document).boxes.count == 5)
    let picture = try ParsedPicture(FlameGraph(profile).document)
    #expect(picture.boxes.map(\.name) == ["all", "wide", "deep"])
    #expect(picture.rootAttributes["data-left-out"] == "2")
    #expect(picture.texts["left-out"]?.hasPrefix("2 call paths are too narrow") == true)
  }

  @Test func theWidestBoxesAreKeptWithTheirCallers() throws {
    let everything = FlameGraph.Options(minimumWidth: 0)
    let all = try ParsedPicture(FlameGraph(Self.busy, options: everything).document).boxes
    let options = FlameGraph.Options(minimumWidth: 0, maximumBoxCount: 40)
    let picture = try ParsedPicture(FlameGraph(Self.busy, options: options).document)
    #expect(picture.boxes.count == 40)
    let least = picture.boxes.map(\.width).min() ?? 0
    #expect(all.count { $0.width > least } < 40)
    for (index, box) in picture.boxes.enumerated().dropFirst() {
      let caller = try #require(picture.boxes[..<index].last { $0.depth == box.depth - 1 })
      #expect(caller.start <= box.start)
      #expect(box.start + box.width <= caller.start + caller.width)
    }
    #expect(picture.rootAttributes["data-left-out"] == "\(all.count - 40)")
  }

  @Test func hugeAndNegativeValuesStayInsideTheirCallers() throws {
    let tree = Profile(stacks: [("a", .max), ("a;b", .max), ("c", .max), ("d", -5), ("d;e", 9)])
    let picture = try ParsedPicture(FlameGraph(tree).document)
    #expect(picture.boxes[0].width == .max)
    for (index, box) in picture.boxes.enumerated() {
      let (sum, overflow) = picture.callees(of: index).reduce((Int64(0), false)) {
        let next = $0.0.addingReportingOverflow($1.width)
        return (next.partialValue, $0.1 || next.overflow)
      }
      #expect(!overflow && sum <= box.width)
      #expect(box.percentWidth >= 0 && box.left + box.percentWidth <= 100.0001)
    }
  }

  @Test func aVeryDeepStackIsDrawn() throws {
    let path = (0..<5000).map { "f\($0)" }.joined(separator: ";")
    let picture = try ParsedPicture(FlameGraph(Profile(stacks: [(path, 1)])).document)
    #expect(picture.boxes.count == 5000)
    #expect(picture.boxes.last?.depth == 4999)
    #expect(picture.rootAttributes["data-left-out"] == "1")
  }
}
