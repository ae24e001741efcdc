internal import WickProfile

extension Annotation {
  /// Writes the sources as JSON; `version` rises when a key changes its meaning.
  ///
  /// `lines` has what is shown of a file; a `text` that is not known is null.
  public func writeJSON(to output: inout some TextOutputStream) {
    account.writeReport(to: &output, "sources", sources) { json in
      json.value(valueType, total: total)
    } row: { source, json in
      write(source, to: &json)
    }
  }

  private func write(_ source: AnnotatedSource, to json: inout JSONWriter) {
    json.object { json in
      json.string("file", source.values.file)
      json.string("path", source.path)
      json.string("function", source.values.function?.name)
      json.string("module", source.values.function?.module)
      json.array("problems") { json in
        for problem in source.problems { json.string(nil, text(problem)) }
      }
      json.integer("lineCount", source.text?.lineCount)
      json.integer("own", source.own.selfValue)
      write(source.values.selfValue, source.values.totalValue, to: &json)
      json.array("lines") { json in
        if let line = source.withoutLine {
          json.object { json in
            json.integer("line", Int?.none)
            write(line.selfValue, line.totalValue, to: &json)
            json.string("text", String?.none)
          }
        }
        for row in source.rows {
          json.object { json in
            json.integer("line", row.number)
            write(row.selfValue, row.totalValue, to: &json)
            json.string("text", source.text?.line(row.number))
          }
        }
      }
      json.integer("hottestLine", (source.own.hottest ?? source.values.hottest)?.number)
      writeOrigins(source, to: &json)
      json.array("instructions") { json in
        for listing in source.code { write(listing, to: &json) }
      }
    }
  }

  private func write(_ own: Int64, _ all: Int64, to json: inout JSONWriter) {
    json.integer("self", own)
    json.number("selfPercent", Decimal.percent(own, of: total))
    json.integer("total", all)
    json.number("totalPercent", Decimal.percent(all, of: total))
  }

  private func writeOrigins(_ source: AnnotatedSource, to json: inout JSONWriter) {
    json.integer("line", source.line?.number)
    json.array("inlinedInto") { json in
      for chain in source.origins?.chains ?? [] where !chain.places.isEmpty {
        json.object { json in
          json.integer("total", chain.value)
          json.array("calls") { json in
            for place in chain.places { json.object { $0.place(place) } }
          }
        }
      }
    }
    guard source.showsCallers else { return }
    json.array("callers") { json in
      for caller in source.origins?.callers ?? [] {
        json.object { json in
          json.integer("total", caller.value)
          json.bool("isInlined", caller.isInlined)
          if let place = caller.place {
            json.place(place)
          } else {
            json.string("function", String?.none)
          }
        }
      }
    }
  }

  private func write(_ listing: CodeListing, to json: inout JSONWriter) {
    json.object { json in
      json.string("module", listing.module)
      json.string("problem", listing.problem)
      json.array("instructions") { json in
        for instruction in listing.instructions {
          json.object { json in
            json.string("address", "0x" + String(instruction.address, radix: 16))
            json.integer("byteCount", instruction.byteCount)
            json.string("text", instruction.text)
            json.bool("isOfLine", instruction.isOfLine)
            json.integer("self", instruction.selfValue)
            json.integer("total", instruction.totalValue)
          }
        }
      }
    }
  }
}
