public import WickProfile

extension FlameGraph {
  /// What a flame graph says and how much of it is drawn without script.
  public struct Options: Hashable, Sendable {
    /// The headline.
    public var title: String
    /// The line below it: how the profile was taken and what was lost; empty for none.
    public var subtitle: String
    /// Remarks below the picture; empty for none.
    public var notes: String
    /// Pixels of the static picture; with script it fills the window.
    public var width: Int
    /// Pixels of a row of boxes.
    public var rowHeight: Int
    /// Narrower boxes are left to the script, in pixels.
    public var minimumWidth: Double
    /// Most static boxes drawn; the widest are kept, since browsers grow slow with more.
    public var maximumBoxCount: Int
    /// What is counted, in the plural, if not what the profile says.
    public var countName: String?
    /// What decides colors.
    public var palette: Palette
    /// What stands between the root and the functions; the script can add and remove both.
    public var roots: StackRoots

    /// Creates options.
    public init(
      title: String = "Flame graph", subtitle: String = "", notes: String = "", width: Int = 1200,
      rowHeight: Int = 16, minimumWidth: Double = 0.5, maximumBoxCount: Int = 5000,
      countName: String? = nil, palette: Palette = .owner, roots: StackRoots = []
    ) {
      self.title = title
      self.subtitle = subtitle
      self.notes = notes
      self.width = width
      self.rowHeight = rowHeight
      self.minimumWidth = minimumWidth
      self.maximumBoxCount = maximumBoxCount
      self.countName = countName
      self.palette = palette
      self.roots = roots
    }
  }
}
