package godot

// Begin is a sentence.
func Begin() {}

// End is none // want "Comment should end in a period"
func End() {}
