package errorlint

import "errors"

var errEnd = errors.New("end")

func ended(err error) bool {
	return err == errEnd // want "comparing with == will fail on wrapped errors"
}

func endedInside(err error) bool { return errors.Is(err, errEnd) }
