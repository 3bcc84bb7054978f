package knob

// A stepper is told the name of every step at which a crash would matter
// ("sync:before", "write:after"). In production it is nil. Tests use it to
// kill the process there, or to make the step fail by returning an error.
type stepper func(step string) error

func (s stepper) at(step string) error {
	if s == nil {
		return nil
	}
	return s(step)
}

// around runs do between its two steps.
func (s stepper) around(name string, do func() error) error {
	if err := s.at(name + ":before"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return s.at(name + ":after")
}
