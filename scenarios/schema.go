package scenarios

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of scenario files. It is as strict
// as a schema can be: what depends on several values, or on the machine, only
// Parse and Expand find.
func Schema() []byte { return schema }

// schema is written by a test, which makes it of the same types and rules that
// Parse follows, and fails when they have moved on: go test ./scenarios -update.
//
//go:embed schema.json
var schema []byte
