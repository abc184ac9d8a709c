# zsh -f zsh-offers.zsh FOLDER LINE...: what Tab offers at the end of each line, one a line, with an empty line behind each list.
# An interactive zsh on a pseudo-terminal has _limr-engine of FOLDER in its fpath; compadd is where all of its completion ends.
zmodload zsh/zpty
zpty shell zsh -f -i
() {
  local folder=$1 text line typed
  shift
  zpty -w shell "fpath=(${(q)folder} \$fpath); PROMPT= RPROMPT="
  zpty -w shell 'autoload -U compinit; compinit -u -D; zstyle ":completion:*" verbose no'
  zpty -w shell 'bindkey "^I" complete-word; bindkey "^U" kill-whole-line; unsetopt auto_list auto_menu; stty -echo -onlcr'
  zpty -w shell 'compadd() {
    local -a hits
    [[ ${(j: :)@} == *-[OAD]\ * ]] && { builtin compadd "$@"; return }
    builtin compadd -O hits "$@"
    print -rl -- "offer""ed:"${^hits}
    builtin compadd "$@"
  }'
  zpty -w shell 'end-of-list() { print "offer""ed-all"; comppostfuncs=(end-of-list) }; comppostfuncs=(end-of-list); print rea""dy'
  while zpty -r shell text; do [[ $text == *ready* ]] && break; done
  for typed in "$@"; do
    zpty -w -n shell $'\C-u'$typed$'\t'
    while zpty -r shell text; do
      [[ $text == *offered-all* ]] && break
      for line in ${(f)${text//$'\r'/}}; do
        [[ $line == *offered:* ]] && print -r -- ${line##*offered:}
      done
    done
    print
  done
} "$@"
zpty -d shell
