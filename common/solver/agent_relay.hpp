// One connection of a step to an ssh agent, moved on by a poll loop that never waits for it.
#pragma once

#include <poll.h>

#include <cstddef>
#include <vector>

#include "common/sys/fd.hpp"

namespace solver {

// What steps may send: `restricted` lets the two requests pass that list keys and sign; an agent's keys can
// be used, but not changed. `raw` passes every byte on.
enum class Forwarding { restricted, raw };

// Both descriptors are non-blocking. Holds a message at most (256 KiB and its length), of raw bytes 16 KiB in
// each direction: who does not read is not read from.
class AgentRelay {
public:
  AgentRelay(sys::UniqueFd client, sys::UniqueFd agent, Forwarding forwarding);

  // What the relay waits for now, as poll(2) takes it.
  pollfd client_events() const;
  pollfd agent_events() const;

  // Moves what can be moved. False once it is over: one side is gone, or sent what cannot be a message.
  bool advance(short client, short agent);

private:
  // Bytes on their way from one side to the other.
  struct Flow {
    std::vector<std::byte> held;
    bool ended = false;  // no more come
    bool told = false;   // and the other side knows
  };
  enum class Turn { request, to_agent, response, to_client };

  static pollfd raw_events(int side, const Flow& from, const Flow& to);
  bool advance_message(short client, short agent);
  bool read_message(int fd);
  bool write_message(int fd);
  void begin(Turn turn);
  void judge_request();
  static bool advance_flow(Flow& flow, int from, bool is_readable, int to);

  sys::UniqueFd client_;
  sys::UniqueFd agent_;
  Forwarding forwarding_;
  Turn turn_ = Turn::request;       // of the message
  std::vector<std::byte> message_;  // with its length
  std::size_t moved_ = 0;           // how much of it was read or written in this turn
  Flow requests_;                   // of raw bytes
  Flow responses_;
};

}  // namespace solver
