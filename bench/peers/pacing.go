package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"netab/results/vocab"
	"netab/runner/traffic"
)

// pacingRates are the rates asked of netab's own pacing, in datagrams of 64
// bytes a second.
var pacingRates = []int{1_000, 10_000, 100_000, 300_000}

// pacedTraffic has a sink that spins, so that the source need not wake it: where
// that is dear, nobody can send 300,000 datagrams a second otherwise.
var pacedTraffic = traffic.Config{Protocol: vocab.UDP, Message: 64, Sink: traffic.Path{Spin: true}}

// pacingPart is how much of each rate is counted in a trial: at the lowest, one
// datagram more or less is 0.2 %, and over all trials far less.
const pacingPart = 500 * time.Millisecond

func pacingName(rate int) string { return fmt.Sprintf("pacing-%dk", rate/1000) }

// pace measures the rates wanted, in random order in each trial. What counts is
// what was received.
func (b *bench) pace(ctx context.Context, name func(string) bool) ([]result, error) {
	var rates []int
	for _, r := range pacingRates {
		if name(pacingName(r)) {
			rates = append(rates, r)
		}
	}
	if len(rates) == 0 {
		return nil, nil
	}
	achieved := make([][]float64, len(rates))
	for range b.trials {
		got, err := b.paceOnce(ctx, rates)
		if err != nil {
			return nil, fmt.Errorf("pacing: %w", err)
		}
		for i := range rates {
			achieved[i] = append(achieved[i], got[i])
		}
	}
	var out []result
	for i, rate := range rates {
		r := result{name: pacingName(rate), ratio: ratioOf(achieved[i]), wanted: within(0.005), note: "received / asked"}
		r.mark = r.wanted.mark(r.ratio)
		out = append(out, r)
	}
	return out, nil
}

// paceOnce is one trial: achieved over asked of each rate.
func (b *bench) paceOnce(ctx context.Context, rates []int) (achieved []float64, err error) {
	p, err := b.newPlace(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	f, err := openNetab(p, pacedTraffic, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	order := b.rng.Perm(len(rates))
	windows := make([]traffic.Window, len(rates))
	start := traffic.Now() + int64(20*time.Millisecond)
	for i, which := range order {
		count := start + int64(b.settle)
		windows[i] = traffic.Window{Slice: i, Start: start, Count: count, End: count + int64(pacingPart), Rate: float64(rates[which])}
		start = windows[i].End + int64(b.gap)
	}
	out, err := f.run(windows)
	if err != nil {
		return nil, err
	}
	achieved = make([]float64, len(rates))
	for i, which := range order {
		datagrams := float64(out.counts[i].units) / 64
		if datagrams == 0 {
			return nil, fmt.Errorf("nothing received at %d datagrams a second", rates[which])
		}
		achieved[which] = datagrams / (float64(rates[which]) * pacingPart.Seconds())
	}
	return achieved, nil
}
