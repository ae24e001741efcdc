import CWickAssets

/// Script and style of a flame graph, as embedded in the tool.
enum PageAsset {
  /// The script.
  static var script: String { unsafe text(wick_asset_flamegraph_js) }

  /// The style sheet.
  static var style: String { unsafe text(wick_asset_flamegraph_css) }

  private static func text(
    _ asset: (UnsafeMutablePointer<Int>?) -> UnsafePointer<CChar>?
  ) -> String {
    var byteCount = 0
    guard let start = unsafe asset(&byteCount) else { return "" }
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: byteCount)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }
}
