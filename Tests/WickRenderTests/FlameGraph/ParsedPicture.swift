import Foundation
import WickProfile
import WickRender

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A flame graph as an XML parser sees it.
final class ParsedPicture: NSObject, XMLParserDelegate {
  struct Box {
    var start: Int64
    var width: Int64
    var selfValue: Int64
    var depth: Int
    var hover = ""
    var label = ""
    var fill = ""
    var left = 0.0
    var percentWidth = 0.0

    var name: String { String(hover.prefix { $0 != "\n" }) }
  }

  private(set) var rootAttributes: [String: String] = [:]
  private(set) var boxes: [Box] = []
  /// All character data outside boxes, style and script, by the class of its element.
  private(set) var texts: [String: String] = [:]
  private(set) var elementNames: [String: Int] = [:]
  private(set) var attributeNames: Set<String> = []
  private var path: [(element: String, kind: String)] = []

  /// Parses a document; throws where it is not well-formed.
  init(_ document: String) throws {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    if !parser.parse() { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
  }

  /// The direct callees of a box.
  func callees(of index: Int) -> [Box] {
    let below = boxes[(index + 1)...].prefix { $0.depth > boxes[index].depth }
    return below.filter { $0.depth == boxes[index].depth + 1 }
  }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    if path.isEmpty { rootAttributes = attributes }
    elementNames[element, default: 0] += 1
    attributeNames.formUnion(attributes.keys)
    if element == "g", let start = attributes["data-x"].flatMap(Int64.init) {
      boxes.append(
        Box(
          start: start, width: attributes["data-w"].flatMap(Int64.init) ?? -1,
          selfValue: attributes["data-s"].flatMap(Int64.init) ?? -1,
          depth: attributes["data-d"].flatMap(Int.init) ?? -1))
    } else if element == "rect", path.last?.kind == "box" {
      boxes[boxes.count - 1].fill = attributes["fill"] ?? ""
      boxes[boxes.count - 1].left = percent(attributes["x"])
      boxes[boxes.count - 1].percentWidth = percent(attributes["width"])
    }
    let kind = attributes["data-x"] == nil ? attributes["class"] ?? element : "box"
    path.append((element, kind))
  }

  func parser(
    _ parser: XMLParser, didEndElement: String, namespaceURI: String?, qualifiedName: String?
  ) {
    path.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    guard let last = path.last else { return }
    if path.dropLast().last?.kind == "box" {
      if last.element == "title" { boxes[boxes.count - 1].hover += text }
      if last.element == "text" { boxes[boxes.count - 1].label += text }
    } else {
      texts[last.kind, default: ""] += text
    }
  }

  private func percent(_ attribute: String?) -> Double {
    attribute.flatMap { Double($0.dropLast()) } ?? -1
  }
}

extension Profile {
  /// A profile of named stacks, such as `[("main;read", 3)]`, root first.
  init(stacks: [(String, Int64)], module: String = "", valueType: ValueType = .samples) {
    self.init(valueTypes: [valueType])
    if !module.isEmpty {
      modules = [Module(path: module, buildID: [], loadBias: 0, extent: 0..<1)]
    }
    for (path, value) in stacks {
      var node = 0
      for name in path.split(separator: ";", omittingEmptySubsequences: false) {
        let frame = Frame(module: module.isEmpty ? nil : 0, function: String(name))
        node = stack(parent: node, frame: intern(frame))
      }
      add(Sample(stack: node), values: [value])
    }
  }
}

extension FlameGraph {
  /// The document as one string.
  var document: String {
    var text = ""
    write(to: &text)
    return text
  }
}
