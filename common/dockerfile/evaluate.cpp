// What each instruction does to the state of its stage.
#include "common/dockerfile/evaluate.hpp"

#include <algorithm>
#include <utility>

#include "common/dockerfile/chmod.hpp"
#include "common/dockerfile/duration.hpp"
#include "common/dockerfile/ports.hpp"
#include "common/dockerfile/remote.hpp"
#include "common/dockerfile/text.hpp"
#include "common/dockerfile/title.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

// Each is compared with each name that is not set; nobody means one of more.
constexpr std::size_t most_suggested = 200;

std::string pairs_text(const std::vector<Pair>& pairs) {
  std::string text;
  for (const auto& pair : pairs)
    text += ' ' + pair.name + '=' + pair.value;
  return text;
}

std::string transfer_text(const Transfer& transfer) {
  std::string text;
  if (!transfer.chown.empty()) text += " --chown=" + transfer.chown;
  if (!transfer.chmod.empty()) text += " --chmod=" + transfer.chmod;
  for (const auto& source : transfer.sources)
    text += ' ' + source;
  for (const auto& file : transfer.inline_files)
    text += " <<" + file.name;
  return text + ' ' + transfer.destination + " # buildkit";
}

// Without the stage's own files there is nobody to look a name up in.
void check_link_owner(const Transfer& transfer) {
  if (!transfer.link) return;
  const auto colon = transfer.chown.find(':');
  const std::string user = transfer.chown.substr(0, colon);
  const std::string group = colon == std::string::npos ? "" : transfer.chown.substr(colon + 1);
  for (const auto& word : {user, group}) {
    if (word.empty() || util::parse_uint(word)) continue;
    throw SyntaxError("--chown=" + transfer.chown +
                          ": user and group names can't be resolved when used with --link, use numeric "
                          "uid[:gid] instead",
                      "--chown");
  }
}

void check_copy_sources(const Copy& copy) {
  for (const auto& source : copy.transfer.sources) {
    const RemoteSource remote = parse_remote(source);
    if (std::holds_alternative<GitSource>(remote)) {
      throw SyntaxError("source can't be a git ref for COPY", source);
    }
    if (std::holds_alternative<UrlSource>(remote)) {
      throw SyntaxError("source can't be a URL for COPY", source);
    }
  }
}

void check_add_sources(const Add& add) {
  const bool has_checksum = !add.checksum.empty();
  if (has_checksum && add.transfer.sources.size() != 1) {
    throw SyntaxError("checksum can't be specified for multiple sources", "--checksum");
  }
  for (const auto& source : add.transfer.sources) {
    const RemoteSource remote = parse_remote(source);
    if (has_checksum && std::holds_alternative<std::monostate>(remote)) {
      throw SyntaxError("checksum requires HTTP(S) or Git sources", "--checksum");
    }
    const auto* git = std::get_if<GitSource>(&remote);
    if (git == nullptr) continue;
    if (add.keep_git_dir && git->keep_git_dir && add.keep_git_dir != git->keep_git_dir) {
      throw SyntaxError("inconsistent keep-git-dir configuration", source);
    }
    if (has_checksum && !git->checksum.empty() && git->checksum != add.checksum) {
      throw SyntaxError("checksum mismatch " + in_quotes(add.checksum) + " != " + in_quotes(git->checksum),
                        source);
    }
  }
}

}  // namespace

Step StageEvaluator::evaluate(const Instruction& instruction) {
  Step step{instruction, std::nullopt, std::nullopt, {}};
  located(file_.source, origin(instruction).location,
          [&] { std::visit([&](auto& each) { apply(each, step); }, step.instruction); });
  step.title = title_of(instruction, state_.environment, file_.directives.escape);
  located(file_.source, origin(instruction).location,
          [&] { budget_.spend_growth(origin(instruction).code.size(), step.title.size()); });
  return step;
}

void StageEvaluator::warn(Rule rule, const std::string& message, const Origin& origin) {
  lint_.warn(rule, message, origin.location, origin.comments);
}

void StageEvaluator::warn_undefined(const Expansion& expansion, const Origin& origin) {
  for (const auto& variable : expansion.missing) {
    const bool declared = std::any_of(state_.args.begin(), state_.args.end(),
                                      [&](const Declaration& arg) { return arg.name == variable; });
    if (declared || is_builder_arg(variable)) continue;
    const std::string match =
        state_.environment.size() > most_suggested ? "" : suggestion(variable, state_.environment.names());
    warn(Rule::UndefinedVar,
         "Usage of undefined variable '$" + variable + "'" +
             (match.empty() ? "" : " (did you mean $" + match + "?)"),
         origin);
  }
}

std::string StageEvaluator::expanded(const std::string& word, const Origin& origin) {
  Expansion expansion = expand(word, state_.environment, file_.directives.escape);
  budget_.spend_growth(word.size(), expansion.text.size());
  warn_undefined(expansion, origin);
  return std::move(expansion.text);
}

std::string StageEvaluator::expanded_content(const std::string& content, const Origin& origin) {
  ExpandOptions options;
  options.ignore_quotes = true;  // and the escape is always a backslash
  Expansion expansion = expand(content, state_.environment, options);
  budget_.spend_growth(content.size(), expansion.text.size());
  warn_undefined(expansion, origin);
  return std::move(expansion.text);
}

void StageEvaluator::expand_transfer(Transfer& transfer, const Origin& origin) {
  for (auto& source : transfer.sources)
    source = expanded(source, origin);
  transfer.destination = expanded(transfer.destination, origin);
  for (auto& file : transfer.inline_files) {
    if (file.expand) file.content = expanded_content(file.content, origin);
  }
  if (!transfer.chmod.empty()) Chmod::parse(transfer.chmod);
}

void StageEvaluator::expand_pairs(std::vector<Pair>& pairs, const Origin& origin) {
  for (auto& pair : pairs) {
    pair.name = expanded(pair.name, origin);
    pair.value = expanded(pair.value, origin);
  }
}

void StageEvaluator::check_repetition(const Origin& origin, const char* keyword) {
  const auto [last, is_first] = last_of_kind_.try_emplace(keyword, origin.location);
  if (is_first) return;
  // The one before is the one that no longer counts.
  lint_.warn(Rule::MultipleInstructionsDisallowed,
             "Multiple " + origin.keyword +
                 " instructions should not be used in the same stage because only the last one will be used",
             last->second, origin.comments);
  last->second = origin.location;
}

void StageEvaluator::check_command(const CommandLine& command, const Origin& origin) {
  if (!command.shell_form || !state_.shell.empty()) return;
  warn(Rule::JSONArgsRecommended,
       "JSON arguments recommended for " + origin.keyword +
           " to prevent unintended behavior related to OS signals",
       origin);
}

// "|2 a=b c=d ": the ARGs in effect, each once at its first place, with the values RUN sees.
std::string StageEvaluator::build_args_text() const {
  std::map<std::string_view, const Declaration*> last;
  for (const auto& arg : state_.args)
    last[arg.name] = &arg;
  const auto count = last.size();
  std::string text;
  for (const auto& arg : state_.args) {
    const auto found = last.extract(arg.name);
    if (found.empty()) continue;  // it stands before
    const auto value = state_.environment.get(arg.name);
    text += arg.name + '=' + (value ? std::string(*value) : found.mapped()->value.value_or("")) + ' ';
  }
  return count == 0 ? "" : '|' + std::to_string(count) + ' ' + text;
}

void StageEvaluator::apply(Add& add, Step& step) {
  add.transfer.chown = expanded(add.transfer.chown, add.origin);
  add.transfer.chmod = expanded(add.transfer.chmod, add.origin);
  add.checksum = expanded(add.checksum, add.origin);
  expand_transfer(add.transfer, add.origin);
  check_link_owner(add.transfer);
  check_add_sources(add);
  step.history = "ADD" + transfer_text(add.transfer);
}

void StageEvaluator::apply(Copy& copy, Step& step) {
  copy.transfer.chown = expanded(copy.transfer.chown, copy.origin);
  copy.transfer.chmod = expanded(copy.transfer.chmod, copy.origin);
  expand_transfer(copy.transfer, copy.origin);
  check_link_owner(copy.transfer);
  check_copy_sources(copy);
  step.history = (copy.parents ? "COPY --parents" : "COPY") + transfer_text(copy.transfer);
}

void StageEvaluator::apply(Arg& arg, Step& step) {
  std::string history = "ARG";
  for (auto& declaration : arg.declarations) {
    if (names_a_secret(declaration.name)) {
      warn(Rule::SecretsUsedInArgOrEnv,
           "Do not use ARG or ENV instructions for sensitive data (ARG " + in_quotes(declaration.name) + ")",
           arg.origin);
    }
    const auto given = scope_.build_args().find(declaration.name);
    if (given != scope_.build_args().end()) {
      declaration.value = given->second;
    } else if (declaration.value) {
      declaration.value = expanded(*declaration.value, arg.origin);
    } else if (const auto global = scope_.environment().get(declaration.name)) {
      declaration.value = std::string(*global);
    }
    if (declaration.value && !is_builder_arg(declaration.name)) {
      state_.set_arg(declaration.name, *declaration.value);
    }
    state_.args.push_back(declaration);
    history += ' ' + declaration.name;
    if (declaration.value) history += '=' + *declaration.value;
  }
  step.history = std::move(history);
}

void StageEvaluator::apply(Cmd& cmd, Step& step) {
  check_repetition(cmd.origin, "CMD");
  check_command(cmd.command, cmd.origin);
  step.execution = execution_of(cmd.command, state_.shell);
  step.history = "CMD " + words_in_quotes(step.execution->arguments);
}

void StageEvaluator::apply(Entrypoint& entrypoint, Step& step) {
  check_repetition(entrypoint.origin, "ENTRYPOINT");
  check_command(entrypoint.command, entrypoint.origin);
  step.execution = execution_of(entrypoint.command, state_.shell);
  step.history = "ENTRYPOINT " + words_in_quotes(step.execution->arguments);
}

void StageEvaluator::apply(Env& env, Step& step) {
  expand_pairs(env.pairs, env.origin);
  for (const auto& pair : env.pairs) {
    if (pair.legacy) {
      warn(Rule::LegacyKeyValueFormat,
           "\"" + env.origin.keyword + " key=value\" should be used instead of legacy \"" +
               env.origin.keyword + " key value\" format",
           env.origin);
    }
    if (names_a_secret(pair.name)) {
      warn(Rule::SecretsUsedInArgOrEnv,
           "Do not use ARG or ENV instructions for sensitive data (ENV " + in_quotes(pair.name) + ")",
           env.origin);
    }
    state_.set_env(pair.name, pair.value);
  }
  step.history = "ENV" + pairs_text(env.pairs);
}

void StageEvaluator::apply(Expose& expose, Step& step) {
  ExpandOptions options;
  options.escape = file_.directives.escape;
  std::vector<std::string> words;
  for (const auto& port : expose.ports) {
    for (auto& word : expand_words(port, state_.environment, options)) {
      budget_.spend(word.size());
      words.push_back(std::move(word));
    }
  }
  expose.ports.clear();
  for (const auto& word : words) {
    PortWord parsed = parse_port(word);
    if (parsed.odd_case) {
      warn(Rule::ExposeProtoCasing,
           "Defined protocol '" + word + "' in EXPOSE instruction should be lowercase", expose.origin);
    }
    if (parsed.has_mapping) {
      warn(Rule::ExposeInvalidFormat,
           "EXPOSE instruction should not define an IP address or host-port mapping, found '" + word + "'",
           expose.origin);
    }
    expose.ports.insert(expose.ports.end(), parsed.ports.begin(), parsed.ports.end());
  }
  step.history = "EXPOSE " + plain_list(expose.ports);
}

void StageEvaluator::apply(Healthcheck& check, Step& step) {
  check_repetition(check.origin, "HEALTHCHECK");
  step.history = "HEALTHCHECK {Test:" + plain_list(check.test) + " Interval:" + to_string(check.interval) +
                 " Timeout:" + to_string(check.timeout) + " StartPeriod:" + to_string(check.start_period) +
                 " StartInterval:" + to_string(check.start_interval) +
                 " Retries:" + std::to_string(check.retries) + "}";
}

void StageEvaluator::apply(Label& label, Step& step) {
  expand_pairs(label.pairs, label.origin);
  for (const auto& pair : label.pairs) {
    if (!pair.legacy) continue;
    warn(Rule::LegacyKeyValueFormat,
         "\"" + label.origin.keyword + " key=value\" should be used instead of legacy \"" +
             label.origin.keyword + " key value\" format",
         label.origin);
  }
  step.history = "LABEL" + pairs_text(label.pairs);
}

void StageEvaluator::apply(Maintainer& maintainer, Step& step) {
  step.history = "MAINTAINER " + maintainer.name;
}

void StageEvaluator::apply(Onbuild&, Step&) {}

void StageEvaluator::apply(Run& run, Step& step) {
  if (!run.devices.empty()) {
    throw SyntaxError("only the BuildKit engine can give devices to a step: set ENGINE=buildkit", "--device");
  }
  for (const auto& flag : run.mount_flags) {
    const auto expand_value = [&](const std::string& value) { return expanded(value, run.origin); };
    run.mounts.push_back(resolve_mount(parse_mount(flag.options, expand_value), state_.working_dir));
  }
  step.execution = execution_of(run.command, state_.shell);
  step.history = "RUN " + build_args_text() + util::join(step.execution->arguments, " ") + " # buildkit";
}

void StageEvaluator::apply(Shell& shell, Step& step) {
  state_.shell = shell.words;
  step.history = "SHELL " + plain_list(shell.words);
}

void StageEvaluator::apply(StopSignal& stop_signal, Step& step) {
  stop_signal.signal = expanded(stop_signal.signal, stop_signal.origin);
  if (!is_signal(stop_signal.signal)) {
    throw SyntaxError("invalid signal: " + stop_signal.signal, stop_signal.signal);
  }
  step.history = "STOPSIGNAL " + stop_signal.signal;
}

void StageEvaluator::apply(User& user, Step& step) {
  user.user = expanded(user.user, user.origin);
  step.history = "USER " + user.user;
}

void StageEvaluator::apply(Volume& volume, Step& step) {
  for (auto& path : volume.paths) {
    path = expanded(path, volume.origin);
    if (path.empty()) throw SyntaxError("VOLUME specified can not be an empty string");
  }
  step.history = "VOLUME " + plain_list(volume.paths);
}

void StageEvaluator::apply(Workdir& workdir, Step& step) {
  const std::string path = expanded(workdir.path, workdir.origin);
  if (!std::exchange(state_.workdir_set, true) && !path.starts_with('/')) {
    warn(Rule::WorkdirRelativePath,
         "Relative workdir " + in_quotes(path) + " can have unexpected results if the base image changes",
         workdir.origin);
  }
  state_.set_working_dir(path);
  workdir.path = state_.working_dir;
  step.history = "WORKDIR " + workdir.path;
}

}  // namespace dockerfile
