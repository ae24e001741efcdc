internal import WickProfile

extension StackReport {
  /// Writes all threads, each with its own frames, innermost first.
  public func writeJSON(to output: inout some TextOutputStream) {
    var json = JSONWriter()
    json.object { json in
      json.integer("version", 1)
      json.object("process") { json in
        json.integer("pid", pid)
        json.string("name", name)
        json.bool("hasEnded", hasEnded)
      }
      json.array("warnings") { json in
        for warning in profile.origin.warnings { json.string(nil, warning) }
      }
      json.array("threads") { json in
        for thread in threads { write(thread, to: &json) }
      }
    }
    output.write(json.take() + "\n")
  }

  private func write(_ thread: Thread, to json: inout JSONWriter) {
    let frames = profile.stacks.framesLeafFirst(of: thread.stack).map { profile.frames[$0] }
    json.object { json in
      json.integer("tid", thread.tid)
      json.string("name", thread.name)
      json.string("state", thread.state)
      json.string("systemCall", thread.systemCall)
      json.string("waitChannel", thread.waitChannel)
      json.integer("pauseNanoseconds", thread.pauseNanoseconds)
      json.string("truncation", frames.first { $0.kind == .truncated }?.function)
      json.array("frames") { json in
        for frame in frames where frame.kind != .truncated { write(frame, to: &json) }
      }
    }
  }

  private func write(_ frame: Frame, to json: inout JSONWriter) {
    json.object { json in
      json.string("function", profile.name(of: frame))
      json.string("file", frame.file)
      json.integer("line", frame.line == 0 ? nil : frame.line)
      json.string("module", frame.module.map { profile.modules[$0].path })
      json.string("address", frame.address.map { "0x" + String($0, radix: 16) })
      json.bool("isInlined", frame.isInlined)
    }
  }
}
